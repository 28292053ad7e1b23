//! What names a KeyPackage, as anyone can work it out who has seen one.

/// The KeyPackageRef (RFC 9420 section 5.2): SHA-256 over a label and the KeyPackage.
pub fn reference(key_package: &[u8]) -> [u8; 32] {
	const LABEL: &[u8] = b"MLS 1.0 KeyPackage Reference";
	sha256(&[&length(LABEL)[..], LABEL, &length(key_package), key_package].concat())
}

/// The length of a vector (RFC 9420 section 2.1.2), of less than 16,384 bytes.
fn length(bytes: &[u8]) -> Vec<u8> {
	match bytes.len() {
		short @ ..64 => vec![short as u8],
		long => (0x4000 | long as u16).to_be_bytes().to_vec(),
	}
}

/// FIPS 180-4, section 6.2. This crate needs it nowhere else.
fn sha256(message: &[u8]) -> [u8; 32] {
	let mut padded = message.to_vec();
	padded.push(0x80);
	padded.resize((message.len() + 9).next_multiple_of(64) - 8, 0);
	padded.extend((message.len() as u64 * 8).to_be_bytes());
	let mut state: [u32; 8] = FIRST;
	for block in padded.chunks_exact(64) {
		let mut words = [0u32; 64];
		for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
			*word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
		}
		for at in 16..64 {
			let (near, far) = (words[at - 2], words[at - 15]);
			let near = near.rotate_right(17) ^ near.rotate_right(19) ^ (near >> 10);
			let far = far.rotate_right(7) ^ far.rotate_right(18) ^ (far >> 3);
			words[at] = words[at - 16].wrapping_add(far).wrapping_add(words[at - 7]).wrapping_add(near);
		}
		let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
		for (word, constant) in words.iter().zip(ROUNDS) {
			let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
			let one = h.wrapping_add(mixed).wrapping_add((e & f) ^ (!e & g)).wrapping_add(constant).wrapping_add(*word);
			let mixed = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
			let two = mixed.wrapping_add((a & b) ^ (a & c) ^ (b & c));
			(h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
		}
		for (word, added) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
			*word = word.wrapping_add(added);
		}
	}
	let mut hash = [0; 32];
	hash.chunks_exact_mut(4).zip(state).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
	hash
}

const FIRST: [u32; 8] =
	[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const ROUNDS: [u32; 64] = [
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
	0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
	0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
	0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
];

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn known_messages_have_their_known_hashes() {
		let known = [
			(&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
			(b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
			(
				b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
				"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
			),
		];
		for (message, hash) in known {
			assert_eq!(hex::encode(sha256(message)), hash);
		}
	}
}
