use super::*;
use proptest::prelude::*;
use serde::{de::DeserializeOwned, Deserialize};
use std::collections::BTreeMap;

fn written<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
	write(&[], value, None).unwrap().bytes.to_vec()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
	ciborium::from_reader(bytes).unwrap()
}

fn by_ciborium<T: Serialize>(value: &T) -> Vec<u8> {
	let mut bytes = Vec::new();
	ciborium::into_writer(value, &mut bytes).unwrap();
	bytes
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Small(u8);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
	Nothing,
	One(u8),
	Two(u8, u8),
	Named { byte: u8, list: Vec<u8> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
	yes: bool,
	numbers: (i8, i16, i32, i64, u16, u32, u64),
	wide: (i128, u128),
	float: f64,
	letter: char,
	text: String,
	nothing: Option<u8>,
	something: Option<u8>,
	unit: (),
	choices: Vec<Choice>,
	map: BTreeMap<String, Vec<Option<u8>>>,
	small: Vec<Small>,
	nested: Vec<Vec<Vec<u8>>>,
	fixed: [u8; 4],
	words: Vec<u16>,
}

fn everything(bytes: &[u8], number: i128) -> Everything {
	let byte = bytes.first().copied().unwrap_or_default();
	Everything {
		yes: byte > 100,
		numbers: (-1, number as i16, number as i32, number as i64, number as u16, number as u32, number as u64),
		wide: (number, number.unsigned_abs()),
		float: 0.1,
		letter: 'ß',
		text: hex::encode(bytes),
		nothing: None,
		something: Some(byte),
		unit: (),
		choices: vec![
			Choice::Nothing,
			Choice::One(byte),
			Choice::Two(3, byte),
			Choice::Named { byte, list: bytes.to_vec() },
		],
		map: [
			("some".to_owned(), vec![Some(byte), None]),
			("all".to_owned(), bytes.iter().copied().map(Some).collect()),
		]
		.into(),
		small: bytes.iter().copied().map(Small).collect(),
		nested: vec![vec![bytes.to_vec(), vec![]], vec![]],
		fixed: [byte, 23, 24, 255],
		words: bytes.iter().map(|byte| u16::from(*byte)).collect(),
	}
}

#[test]
fn bytes_become_a_byte_string() {
	for length in [1usize, 23, 24, 255, 256, 70_000] {
		let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
		let mut string = Vec::new();
		ciborium::into_writer(&ciborium::Value::Bytes(bytes.clone()), &mut string).unwrap();
		assert_eq!(written(&bytes), string, "{length}");
	}
	assert_eq!(written(&[0x18u8, 0x17]), [0x42, 0x18, 0x17]);
	assert_eq!(written(&Vec::<u8>::new()), [0x80]);
}

/// It would be read as numbers by what expects something else.
#[test]
fn what_is_not_only_bytes_stays_an_array() {
	assert_eq!(written(&vec![Some(1u8)]), [0x81, 1]);
	assert_eq!(written(&vec![Small(1)]), [0x81, 1]);
	assert_eq!(written(&vec![1u16]), [0x81, 1]);
	assert_eq!(written(&(1u8, 2u16)), [0x82, 1, 2]);
	// From 24 on a number takes two.
	assert_eq!(written(&(23u8, 24u8, 200u8, 2u16)), [0x84, 23, 0x18, 24, 0x18, 200, 2]);
	assert_eq!(written(&(2u16, 1u8)), [0x82, 2, 1]);
	assert_eq!(written(&(1u8, vec![2u8], 3u8)), [0x83, 1, 0x41, 2, 3]);
}

#[test]
fn all_else_is_what_ciborium_writes() {
	let wide =
		[0, -1, 1, i128::from(u64::MAX), i128::from(u64::MAX) + 1, -i128::from(u64::MAX) - 2, i128::MIN, i128::MAX];
	for number in wide.into_iter().chain((0..64).flat_map(|bit| [1i128 << bit, -(1i128 << bit)])) {
		let mut value = everything(&[], number);
		value.choices.pop();
		value.choices.pop();
		value.fixed = [0; 4];
		let theirs = by_ciborium(&value);
		let ours = written(&value);
		// The one byte string in it.
		let (string, array) = ([0x44, 0, 0, 0, 0], [0x84, 0, 0, 0, 0]);
		let at = ours.windows(5).position(|window| window == string).unwrap();
		let ours = [&ours[..at], &array, &ours[at + 5..]].concat();
		assert_eq!(ours, theirs, "{number}");
	}
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
	before: Vec<Element>,
	list: Vec<Element>,
	inner: Inner,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
	list: Vec<Element>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Element {
	number: u64,
	text: Vec<u8>,
	deep: Vec<Option<Box<Element>>>,
}

fn element(number: u64) -> Element {
	let deep = Element { number: number / 2, text: vec![], deep: vec![] };
	Element { number, text: vec![7; 30], deep: vec![None, Some(Box::new(deep))] }
}

#[test]
fn a_list_in_the_outermost_struct_is_taken_apart() {
	let numbers = [0, 23, 24, 255, 256, 70_000, u64::MAX];
	let list: Vec<Element> = numbers.into_iter().map(element).collect();
	let value = Outer { before: list[..1].to_vec(), list: list.clone(), inner: Inner { list: list[..2].to_vec() } };
	let none: &dyn Fn(u64) -> bool = &|_| false;
	let apart = write(b"x", &value, Some(Apart { field: "list", number: "number", stays: none })).unwrap();
	let elements = apart.elements.unwrap();
	let (main, all) = apart.bytes.split_at(elements.place);
	let mut whole = main[1..].to_vec();
	for ((number, bytes), element) in elements.list.iter().zip(&list) {
		assert_eq!((*number, bytes.as_ref().unwrap().to_vec()), (element.number, written(element)));
		whole.extend_from_slice(bytes.as_ref().unwrap());
	}
	whole.extend_from_slice(all);
	assert_eq!(whole, written(&value));

	let some: &dyn Fn(u64) -> bool = &|number| number > 100;
	let less = write(b"x", &value, Some(Apart { field: "list", number: "number", stays: some })).unwrap();
	assert_eq!(less.bytes, apart.bytes);
	let less = less.elements.unwrap();
	assert_eq!(less.place, elements.place);
	for ((number, bytes), (other, full)) in less.list.iter().zip(&elements.list) {
		assert_eq!((number, bytes.is_none()), (other, *number > 100));
		assert!(bytes.is_none() || bytes == full);
	}
	assert!(write(&[], &value, Some(Apart { field: "other", number: "number", stays: none }))
		.unwrap()
		.elements
		.is_none());
	assert!(write(&[], &value, Some(Apart { field: "list", number: "text", stays: none })).is_err());
	assert!(write(&[], &value, Some(Apart { field: "list", number: "none", stays: none })).is_err());
}

/// Of many forms, the first of which is a byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Mixed {
	Byte(u8),
	Text(String),
}

#[test]
fn bytes_with_something_else_among_them_are_an_array() {
	let (byte, text) = (Mixed::Byte(200), || Mixed::Text("x".to_owned()));
	assert_eq!(written(&vec![byte.clone(), byte.clone()]), [0x42, 200, 200]);
	let mixed = vec![byte.clone(), byte.clone(), text(), byte, text()];
	assert_eq!(written(&mixed), [0x85, 0x18, 200, 0x18, 200, 0x61, b'x', 0x18, 200, 0x61, b'x']);
	assert_eq!(read::<Vec<Mixed>>(&written(&mixed)), mixed);
	assert_eq!(written(&mixed[1..3]), [0x82, 0x18, 200, 0x61, b'x']);
}

#[test]
fn pieces_together_are_what_is_written_in_one() {
	let list: Vec<Element> = (0..100).map(element).collect();
	let value = Outer { before: list[..20].to_vec(), list: list.clone(), inner: Inner { list } };
	let mut pieces = Vec::new();
	write_in_pieces(&value, &mut |piece| pieces.push(piece.to_vec())).unwrap();
	assert_eq!(pieces.concat(), written(&value));
	assert_eq!(pieces.len(), 7, "of the inner list");
}

proptest! {
	#[test]
	fn what_is_written_is_read(bytes: Vec<u8>, number: i128) {
		let value = everything(&bytes, number);
		prop_assert_eq!(read::<Everything>(&written(&value)), value.clone());
		prop_assert_eq!(read::<Everything>(&by_ciborium(&value)), value);
	}
}
