//! Bytes in records, as they are written and as earlier versions wrote them.

use crate::store::{
	codec::{decode, encode},
	key::Key,
	packed,
};
use lockstep_primitives::rpc::HexBytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Packed {
	#[serde(with = "packed")]
	bytes: HexBytes,
}

#[derive(Serialize)]
struct Digits {
	bytes: HexBytes,
}

#[test]
fn packed_bytes_take_one_byte_each_and_digits_are_read_still() {
	let key = Key::new("packed", b"");
	for length in [0, 1, 23, 24, 1000, 5000, 100_000] {
		let bytes = HexBytes(vec![0xa5; length]);
		let written = encode(&key, &Packed { bytes: bytes.clone() }).unwrap();
		assert!(written.len() < length + 20);
		assert_eq!(decode(&key, &written), Ok(Packed { bytes: bytes.clone() }));
		let earlier = encode(&key, &Digits { bytes: bytes.clone() }).unwrap();
		assert_eq!(decode(&key, &earlier), Ok(Packed { bytes: bytes.clone() }));
		let json = [&[1][..], serde_json::to_string(&Digits { bytes: bytes.clone() }).unwrap().as_bytes()].concat();
		assert_eq!(decode(&key, &json), Ok(Packed { bytes }));
	}
	for wrong in ["1", "null", "\"0x0\"", "\"0xzz\""] {
		let json = format!("\x01{{\"bytes\":{wrong}}}");
		assert!(decode::<Packed>(&key, json.as_bytes()).is_err(), "{wrong}");
	}
}

#[test]
fn what_is_kept_within_a_record_is_read_whole_or_not() {
	let whole = packed::encode(&("text", 7)).unwrap();
	assert_eq!(packed::decode::<(String, u32)>(&whole), Some(("text".to_owned(), 7)));
	assert_eq!(packed::decode::<(String, u32)>(&[&whole[..], b"\0"].concat()), None);
	for length in 0..whole.len() {
		assert_eq!(packed::decode::<(String, u32)>(&whole[..length]), None);
	}
}
