//! The encoding of the group data: one byte string for each, and an error for everything else.

use super::{AuthenticationService, GroupData, GroupDataError, Rights, Who};
use crate::mls::constants::{MAX_ADMINISTRATORS, MAX_APPLICATION_DATA, MAX_IDENTITY, MAX_NAME};
use proptest::{collection::vec, prelude::*};

fn sample() -> GroupData {
	GroupData {
		name: "Grüße".into(),
		application: vec![9; 3],
		administrators: [b"b".to_vec(), b"a".to_vec(), b"ab".to_vec()].into(),
		rights: Rights { remove: Who::Administrators, roles: Who::Administrators, ..Rights::default() },
		authentication: AuthenticationService::Application,
	}
}

#[test]
fn the_encoding_is_fixed() {
	assert_eq!(GroupData::default().encode().unwrap(), [1, 0, 0, 0, 0, 0, 0, 0]);
	let expected = b"\x01\x1cGr\xc3\xbc\xc3\x9fe\x0c\x09\x09\x09\x0c\x04a\x08ab\x04b\x00\x01\x00\x01";
	let of_people = GroupData { authentication: AuthenticationService::Directory, ..GroupData::default() };
	assert_eq!(of_people.encode().unwrap(), [2, 0, 0, 0, 0, 0, 0, 0]);
	assert_eq!(sample().encode().unwrap(), expected);
	assert_eq!(GroupData::decode(expected), Ok(sample()));
}

#[test]
fn what_is_not_the_one_encoding_is_refused() {
	let cases: [(&[u8], GroupDataError); 10] = [
		(b"", GroupDataError::Encoding),
		(b"\x03\x00\x00\x00\x00\x00\x00\x00", GroupDataError::Version(3)),
		(b"\x01\x00\x00\x00\x00\x00\x00", GroupDataError::Encoding),
		(b"\x01\x00\x00\x00\x00\x00\x00\x00\x00", GroupDataError::Encoding),
		(b"\x01\x00\x00\x00\x00\x02\x00\x00", GroupDataError::Who(2)),
		(b"\x01\x04\xff\x00\x00\x00\x00\x00\x00", GroupDataError::Text),
		// administrators in another order, twice, without a name
		(b"\x01\x00\x00\x08\x04b\x04a\x00\x00\x00\x00", GroupDataError::Encoding),
		(b"\x01\x00\x00\x08\x04a\x04a\x00\x00\x00\x00", GroupDataError::Encoding),
		(b"\x01\x00\x00\x04\x00\x00\x00\x00\x00", GroupDataError::Identity),
		// a compact length in a longer form than it needs
		(b"\x01\x01\x00\x00\x00\x00\x00\x00\x00", GroupDataError::Encoding),
	];
	for (bytes, error) in cases {
		assert_eq!(GroupData::decode(bytes), Err(error), "{bytes:?}");
	}
	// a length that promises more than any memory has
	assert_eq!(GroupData::decode(b"\x01\xfe\xff\xff\xff"), Err(GroupDataError::Encoding));
	assert_eq!(GroupData::decode(b"\x01\x00\x00\xfe\xff\xff\xff"), Err(GroupDataError::Encoding));
}

#[test]
fn everything_has_a_bound_on_both_sides() {
	let administrators = |count: usize| (0..count).map(|n| n.to_be_bytes().to_vec()).collect();
	let fits = GroupData {
		name: "x".repeat(MAX_NAME),
		application: vec![1; MAX_APPLICATION_DATA],
		administrators: administrators(MAX_ADMINISTRATORS),
		..GroupData::default()
	};
	assert_eq!(GroupData::decode(&fits.encode().unwrap()), Ok(fits.clone()));
	let mut too_much = [fits.clone(), fits.clone(), fits.clone(), fits];
	too_much[0].name.push('x');
	too_much[1].application.push(1);
	too_much[2].administrators = administrators(MAX_ADMINISTRATORS + 1);
	too_much[3].administrators = [vec![7; MAX_IDENTITY + 1]].into();
	let errors = too_much.each_ref().map(|data| data.encode().unwrap_err());
	assert_eq!(
		errors,
		[
			GroupDataError::Name { length: MAX_NAME + 1 },
			GroupDataError::Application { length: MAX_APPLICATION_DATA + 1 },
			GroupDataError::Administrators { count: MAX_ADMINISTRATORS + 1 },
			GroupDataError::Identity,
		]
	);
}

pub(super) fn any_rights() -> impl Strategy<Value = Rights> {
	any::<[bool; 4]>().prop_map(|administrators| {
		let [add, remove, data, roles] = administrators.map(|only| match only {
			true => Who::Administrators,
			false => Who::Everyone,
		});
		Rights { add, remove, data, roles }
	})
}

fn any_data() -> impl Strategy<Value = GroupData> {
	let authentication = prop_oneof![Just(AuthenticationService::Application), Just(AuthenticationService::Directory)];
	let administrators = proptest::collection::btree_set(vec(any::<u8>(), 1..5), 0..6);
	(".{0,20}", vec(any::<u8>(), 0..200), administrators, any_rights(), authentication).prop_map(
		|(name, application, administrators, rights, authentication)| GroupData {
			name,
			application,
			administrators,
			rights,
			authentication,
		},
	)
}

proptest! {
	#[test]
	fn what_is_encoded_is_decoded(data in any_data()) {
		prop_assert_eq!(GroupData::decode(&data.encode().unwrap()), Ok(data));
	}

	#[test]
	fn changed_bytes_are_other_data_or_an_error(
		data in any_data(), position: prop::sample::Index, flip in 1..=255u8, cut: prop::sample::Index,
	) {
		let good = data.encode().unwrap();
		let mut bytes = good.clone();
		bytes[position.index(good.len())] ^= flip;
		if let Ok(other) = GroupData::decode(&bytes) {
			prop_assert_ne!(&other, &data);
			prop_assert_eq!(other.encode().unwrap(), bytes);
		}
		prop_assert!(GroupData::decode(&good[..cut.index(good.len())]).is_err());
	}

	#[test]
	fn any_bytes_are_data_or_an_error(mut bytes in vec(any::<u8>(), 0..64)) {
		if let Some(first) = bytes.first_mut() {
			*first = 1;
		}
		if let Ok(data) = GroupData::decode(&bytes) {
			prop_assert_eq!(data.encode().unwrap(), bytes);
		}
	}
}
