//! A first-in first-out queue over two storage items.

use crate::types::QueueBounds;
use codec::FullCodec;
use core::marker::PhantomData;
use frame_support::storage::{StorageMap, StorageValue};

/// What stands at the front of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front<Item> {
	/// The queue is empty.
	Empty,
	/// The position is in the queue, but nothing is stored there. Nothing makes such a gap; if something did, the
	/// queue would go over it.
	Gap,
	/// The oldest item.
	Item(Item),
}

/// A queue whose bounds are in `Bounds` and whose items, by position, in `Items`.
pub(crate) struct Fifo<Bounds, Items, Item>(PhantomData<(Bounds, Items, Item)>);

impl<Bounds, Items, Item> Fifo<Bounds, Items, Item>
where
	Bounds: StorageValue<QueueBounds, Query = QueueBounds>,
	Items: StorageMap<u64, Item, Query = Option<Item>>,
	Item: FullCodec,
{
	/// Adds an item at the end.
	pub fn push(item: Item) {
		let bounds = Bounds::get();
		Items::insert(bounds.tail, item);
		Bounds::put(QueueBounds { tail: bounds.tail.saturating_add(1), ..bounds });
	}

	/// Reads the oldest item and leaves it.
	pub fn front() -> Front<Item> {
		let QueueBounds { head, tail } = Bounds::get();
		if head >= tail {
			return Front::Empty;
		}
		Items::get(head).map_or(Front::Gap, Front::Item)
	}

	/// Replaces the oldest item; does nothing if the queue is empty.
	pub fn replace_front(item: Item) {
		let QueueBounds { head, tail } = Bounds::get();
		if head < tail {
			Items::insert(head, item);
		}
	}

	/// Drops the oldest item; does nothing if the queue is empty.
	pub fn pop() {
		let QueueBounds { head, tail } = Bounds::get();
		if head < tail {
			Items::remove(head);
			Bounds::put(QueueBounds { head: head.saturating_add(1), tail });
		}
	}
}
