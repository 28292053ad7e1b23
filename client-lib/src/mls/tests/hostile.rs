//! What a hostile member can do: it holds the group's secrets, so it can make MLS say anything and endorse it.

use super::{
	log::{Entry, Log},
	Member,
};
use crate::{
	mls::{bundle::CommitBundle, keys, seal, verdict::payload_context},
	store::Overlay,
};
use lockstep_primitives::{extrinsic::Append, payload_hash, OrderingKey};
use openmls::prelude::{tls_codec::SecretVLBytes, CommitBuilder, Initial, MlsGroup};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{
	crypto::OpenMlsCrypto,
	types::{
		AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair,
		KemOutput, SignatureScheme,
	},
	OpenMlsProvider,
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the cryptography that a hostile member uses departs from the honest one.
#[derive(Default)]
pub(super) enum Fault {
	/// Nowhere.
	#[default]
	None,
	/// What is encrypted to this HPKE key is replaced: with this text, correctly encrypted, ...
	OtherText(Vec<u8>, Vec<u8>),
	/// ... or with this ciphertext.
	OtherCiphertext(Vec<u8>, HpkeCiphertext),
	/// The n-th HPKE key pair has this public key instead of its own.
	OtherPublicKey(usize, Vec<u8>),
	/// The n-th MAC has its first bit flipped.
	WrongMac(usize),
}

/// Honest cryptography with one fault.
#[derive(Default)]
pub(super) struct Crypto {
	honest: RustCrypto,
	fault: Fault,
	calls: AtomicUsize,
}

impl Crypto {
	pub(super) fn with(fault: Fault) -> Self {
		Self { fault, ..Self::default() }
	}

	fn call(&self) -> usize {
		self.calls.fetch_add(1, Ordering::Relaxed)
	}
}

impl OpenMlsCrypto for Crypto {
	fn hpke_seal(
		&self,
		config: HpkeConfig,
		pk_r: &[u8],
		info: &[u8],
		aad: &[u8],
		ptxt: &[u8],
	) -> Result<HpkeCiphertext, CryptoError> {
		match &self.fault {
			Fault::OtherText(key, text) if key == pk_r => self.honest.hpke_seal(config, pk_r, info, aad, text),
			Fault::OtherCiphertext(key, ciphertext) if key == pk_r => Ok(ciphertext.clone()),
			_ => self.honest.hpke_seal(config, pk_r, info, aad, ptxt),
		}
	}

	fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
		let mut pair = self.honest.derive_hpke_keypair(config, ikm)?;
		if let Fault::OtherPublicKey(turn, public) = &self.fault {
			if self.call() == *turn {
				pair.public = public.clone();
			}
		}
		Ok(pair)
	}

	fn hmac(&self, hash_type: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
		let mac = self.honest.hmac(hash_type, key, message)?;
		match self.fault {
			Fault::WrongMac(turn) if self.call() == turn => {
				let mut bytes = mac.as_slice().to_vec();
				bytes[0] ^= 1;
				Ok(bytes.into())
			}
			_ => Ok(mac),
		}
	}

	fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
		self.honest.supports(suite)
	}
	fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
		self.honest.supported_ciphersuites()
	}
	fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
		self.honest.hkdf_extract(hash, salt, ikm)
	}
	fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
		self.honest.hkdf_expand(hash, prk, info, len)
	}
	fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.hash(hash, data)
	}
	fn aead_encrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.aead_encrypt(alg, k, data, n, aad)
	}
	fn aead_decrypt(&self, alg: AeadType, k: &[u8], data: &[u8], n: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.aead_decrypt(alg, k, data, n, aad)
	}
	fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
		self.honest.signature_key_gen(alg)
	}
	fn verify_signature(&self, alg: SignatureScheme, data: &[u8], pk: &[u8], sig: &[u8]) -> Result<(), CryptoError> {
		self.honest.verify_signature(alg, data, pk, sig)
	}
	fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
		self.honest.sign(alg, data, key)
	}
	fn hpke_open(
		&self,
		config: HpkeConfig,
		input: &HpkeCiphertext,
		sk_r: &[u8],
		info: &[u8],
		aad: &[u8],
	) -> Result<Vec<u8>, CryptoError> {
		self.honest.hpke_open(config, input, sk_r, info, aad)
	}
	fn hpke_setup_sender_and_export(
		&self,
		config: HpkeConfig,
		pk_r: &[u8],
		info: &[u8],
		context: &[u8],
		length: usize,
	) -> Result<(KemOutput, ExporterSecret), CryptoError> {
		self.honest.hpke_setup_sender_and_export(config, pk_r, info, context, length)
	}
	fn hpke_setup_receiver_and_export(
		&self,
		config: HpkeConfig,
		enc: &[u8],
		sk_r: &[u8],
		info: &[u8],
		context: &[u8],
		length: usize,
	) -> Result<ExporterSecret, CryptoError> {
		self.honest.hpke_setup_receiver_and_export(config, enc, sk_r, info, context, length)
	}
}

/// OpenMLS's provider with hostile cryptography.
pub(super) struct HostileProvider<'p, 'o> {
	pub(super) crypto: &'p Crypto,
	pub(super) overlay: &'p Overlay<'o>,
}

impl<'o> OpenMlsProvider for HostileProvider<'_, 'o> {
	type CryptoProvider = Crypto;
	type RandProvider = RustCrypto;
	type StorageProvider = Overlay<'o>;

	fn storage(&self) -> &Overlay<'o> {
		self.overlay
	}
	fn crypto(&self) -> &Crypto {
		self.crypto
	}
	fn rand(&self) -> &RustCrypto {
		&self.crypto.honest
	}
}

/// A commit made outside the engine's rules.
#[derive(Clone)]
pub(super) struct Forged {
	pub(super) proposals: Vec<Vec<u8>>,
	pub(super) commit: Vec<u8>,
	pub(super) next_key: OrderingKey,
}

impl Forged {
	pub(super) fn bundle(&self) -> Vec<u8> {
		CommitBundle::new(self.proposals.clone(), self.commit.clone()).encode().unwrap()
	}

	/// Seals, endorses and appends it.
	pub(super) fn submit(&self, member: &Member, log: &mut Log) -> Entry {
		submit_bundle(member, log, &self.bundle(), &self.next_key)
	}
}

/// Makes a commit with whatever `configure` puts into it, without asking the policy.
pub(super) fn forge(
	member: &Member,
	log: &Log,
	crypto: &Crypto,
	configure: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> Forged {
	let overlay = member.store().overlay();
	let mut mls = member.engine.load(&overlay, &log.group).unwrap();
	forge_on(member, log, crypto, &overlay, &mut mls, configure)
}

/// The same on a group that was prepared for it.
pub(super) fn forge_on(
	member: &Member,
	log: &Log,
	crypto: &Crypto,
	overlay: &Overlay<'_>,
	mls: &mut MlsGroup,
	configure: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> Forged {
	let provider = HostileProvider { crypto, overlay };
	let signer = member.engine.signer_of(overlay, &log.group, mls).unwrap().pair();
	let messages = configure(mls.commit_builder().force_self_update(true))
		.load_psks(overlay)
		.unwrap()
		.build(provider.rand(), crypto, &signer, |_| true)
		.unwrap()
		.stage_commit(&provider)
		.unwrap();
	let staged = mls.pending_commit().unwrap();
	let next_key = keys::ordering_key(staged, &crypto.honest, &log.group).unwrap();
	Forged { proposals: Vec::new(), commit: messages.into_commit().to_bytes().unwrap(), next_key }
}

/// Seals any bytes as a payload of the member's epoch, endorses and appends it.
pub(super) fn submit_bundle(member: &Member, log: &mut Log, bundle: &[u8], next_key: &OrderingKey) -> Entry {
	let crypto = RustCrypto::default();
	let overlay = member.store().overlay();
	let mls = member.engine.load(&overlay, &log.group).unwrap();
	let key = keys::payload_key(&mls, &crypto, &log.group).unwrap();
	let context = payload_context(&log.group, &member.tip_keys(log).entry);
	let payload = seal::seal(&crypto, &key, &context, bundle).unwrap();
	submit_payload(member, log, &payload, next_key)
}

/// Opens a payload that was sealed in the member's epoch.
pub(super) fn open_payload(member: &Member, log: &Log, payload: &[u8]) -> Vec<u8> {
	let overlay = member.store().overlay();
	let mls = member.engine.load(&overlay, &log.group).unwrap();
	let key = keys::payload_key(&mls, &member.engine.crypto, &log.group).unwrap();
	let context = payload_context(&log.group, &member.tip_keys(log).entry);
	seal::open(&member.engine.crypto, &key, &context, payload).unwrap()
}

/// Endorses any bytes as a payload and appends them.
pub(super) fn submit_payload(member: &Member, log: &mut Log, payload: &[u8], next_key: &OrderingKey) -> Entry {
	let keys = member.tip_keys(log);
	let endorsement = keys.endorse(member.engine.genesis(), &log.group, &payload_hash(payload), next_key);
	let append =
		Append { group: log.group, parent: keys.entry, payload: payload.to_vec(), next_key: *next_key, endorsement };
	log.try_append(&append).expect("a member of the epoch can endorse anything")
}

/// The HPKE key of a member's leaf.
pub(super) fn leaf_key(members: &[Member], log: &Log, of: &str) -> Vec<u8> {
	let overlay = members[0].store().overlay();
	let mls = members[0].engine.load(&overlay, &log.group).unwrap();
	let found = mls.members().find(|member| member.credential.serialized_content() == of.as_bytes());
	found.expect("a member of that name").encryption_key
}
