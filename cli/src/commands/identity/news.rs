//! `lockstep identity news`.
//!
//! It is told from logs that were judged event by event; what a client reports while it is open is `lockstep events`.

mod stock;

use crate::{
	failure::{Failure, Kind},
	job::Job,
	person::{self, NewsView},
};
use clap::Args;
use lockstep_client::directory::{catch_up, IdentityId, People};
use serde::{Deserialize, Serialize};
use stock::StockNews;

/// What happened to this person, and to people in its groups, since it was printed last: devices, keys, recoveries
///
/// It is read from their logs, and printed once, in the order of the blocks; then what became of this device's KeyPackages, and up to which
/// block this is all: a log from before what this profile has verified is not taken. Of somebody new to this profile nothing is told,
/// unless --since says from when on. If a log cannot be read, the rest is printed, and the exit code says why; what happened there is told
/// the next time. A key that you did not expect may be a stranger's.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
pub struct News {
	/// The ids of people who are not in a group with this person
	#[arg(value_name = "ID", value_parser = person::identity)]
	people: Vec<IdentityId>,
	/// Of people of whom nothing was told before, tells what happened after this block
	#[arg(long, value_name = "BLOCK")]
	since: Option<u32>,
}

/// What is shown.
#[derive(Debug, Serialize)]
struct Report<'a> {
	news: &'a [NewsView],
	/// The block up to which it is all that happened to those whose logs were read.
	until: Option<u32>,
	/// What became of the device's KeyPackages; null if that is not known.
	stock: Option<&'a StockNews>,
	/// Whose logs were not read.
	unread: &'a [Unread],
}

#[derive(Debug, Serialize)]
struct Unread {
	id: IdentityId,
	reason: String,
}

impl News {
	pub async fn run(&self, job: &Job<'_>) -> Result<(), Failure> {
		let session = job.session;
		let (file, _) = session.device()?;
		let (own, keyring) = file.device()?;
		let device = keyring.keys.current.key();
		session.reachable(job.out).await?;
		let directory = session.directory()?;
		let contacts = self.people.iter().copied().collect();
		let people = People { own: Some(own), contacts, since: self.since };
		let reading = catch_up(session.client(), &directory, &people);
		let mut found = job.until_final("reading the logs of people", reading).await?;
		let stock = job.until_final("reading the stock", directory.stock_as_of(own, device)).await;
		let before = session.marks().stock();
		let stock = stock.map(|(stock, head)| StockNews::since(before, device, stock, head.number));
		let news: Vec<NewsView> = found.news.iter().map(NewsView::new).collect();
		let failures: Vec<(IdentityId, Failure)> =
			std::mem::take(&mut found.unread).into_iter().map(|(id, error)| (id, error.into())).collect();
		let unread = failures.iter().map(|(id, failure)| Unread { id: *id, reason: failure.message.clone() });
		let unread: Vec<Unread> = unread.collect();
		let report = Report { news: &news, until: found.until, stock: stock.as_ref().ok(), unread: &unread };
		let text = report.text();
		job.out.result(&text, &report)?;
		if text.is_empty() {
			let until = found.until.map(|block| format!(", up to block {block}")).unwrap_or_default();
			job.out.note(format!("lockstep: nothing happened since it was told last{until}"));
		}
		// Nobody is told it again from here on, so it has to be out.
		job.shown().await?;
		found.told(session.client()).await?;
		if let Ok(stock) = &stock {
			session.marks().tell_stock(stock.mark())?;
		}
		match worst(failures, stock.err()) {
			None => Ok(()),
			Some(failure) => Err(failure),
		}
	}
}

impl Report<'_> {
	/// For people; nothing if nothing happened.
	fn text(&self) -> String {
		let news = self.news.iter().map(NewsView::text);
		let stock = self.stock.map(StockNews::lines).unwrap_or_default();
		let unread = self
			.unread
			.iter()
			.map(|Unread { id, reason }| format!("NOT READ  {id}: {reason}; it is told the next time"));
		let mut lines: Vec<String> = news.chain(stock).chain(unread).collect();
		if let Some(until) = self.until.filter(|_| !lines.is_empty()) {
			let of = if self.unread.is_empty() { "" } else { ", of those whose logs were read" };
			lines.push(format!("this is all up to block {until}{of}"));
		}
		lines.join("\n")
	}
}

/// The failure that matters most: that a log is another one than it was.
fn worst(logs: Vec<(IdentityId, Failure)>, stock: Option<Failure>) -> Option<Failure> {
	let named = |(id, failure): (IdentityId, Failure)| {
		let message = format!("the log of {id} was not read: {}", failure.message);
		Failure { message, ..failure }
	};
	let mut failures: Vec<Failure> = logs.into_iter().map(named).chain(stock).collect();
	failures.sort_by_key(|failure| failure.kind != Kind::Unverified);
	failures.into_iter().next()
}

#[cfg(test)]
mod tests {
	use super::*;
	use lockstep_client::{
		directory::{Happening, IdentityKey, News as Told, NewsError},
		EntryHash,
	};

	const ANNA: IdentityId = IdentityId([1; 32]);

	#[test]
	fn that_a_log_is_another_one_matters_more_than_what_could_not_be_read() {
		let behind = || Failure::from(NewsError::Behind { identity: ANNA, found: 1, known: 2 });
		let other = Failure::from(NewsError::OtherLog { identity: ANNA, index: 1, known: EntryHash([3; 32]) });
		assert_eq!((behind().kind, other.kind), (Kind::Node, Kind::Unverified));
		let failure = worst(vec![(ANNA, behind()), (ANNA, other)], Some(behind())).unwrap();
		assert_eq!((failure.kind, failure.exit()), (Kind::Unverified, crate::failure::Exit::Unverified));
		assert!(failure.message.contains(&ANNA.to_string()));
		assert_eq!(worst(Vec::new(), Some(behind())).unwrap().kind, Kind::Node);
		assert_eq!(worst(Vec::new(), None), None);
	}

	#[test]
	fn what_was_not_read_and_up_to_which_block_is_said_and_nothing_is_an_empty_text() {
		let stock = StockNews::since(None, IdentityKey([2; 32]), None, 9);
		let text =
			|news: &[NewsView], unread: &[Unread]| Report { news, until: Some(9), stock: Some(&stock), unread }.text();
		assert_eq!(text(&[], &[]), "");
		let (what, overridden_by) = (Happening::Closed, None);
		let closed = [NewsView::new(&Told { identity: ANNA, own: false, block: 7, index: 3, what, overridden_by })];
		assert_eq!(text(&closed, &[]), format!("{}\nthis is all up to block 9", closed[0].text()));
		let unread = [Unread { id: ANNA, reason: "no node".into() }];
		let not_read = format!("NOT READ  {ANNA}: no node; it is told the next time");
		let all = format!("{not_read}\nthis is all up to block 9, of those whose logs were read");
		assert_eq!(text(&[], &unread), all);
		let none = Report { news: &[], until: None, stock: None, unread: &unread };
		assert_eq!(none.text(), not_read, "not even that is known");
	}
}
