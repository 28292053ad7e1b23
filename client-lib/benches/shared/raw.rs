//! A member of raw OpenMLS with its store in memory, with the settings that Lockstep's groups have: the tree goes beside the
//! Welcome, which is the faster way for it as well.

use super::Member;
use lockstep_client::{simulation::long_path, GroupData};
use openmls::{
	group::PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
	key_packages::Lifetime,
	prelude::{
		tls_codec::{Deserialize as _, Serialize as _},
		BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, Extension, ExtensionType,
		Extensions, GroupContext, KeyPackage, KeyPackageIn, LeafNodeIndex, MlsGroup, MlsGroupJoinConfig,
		MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProcessedMessageContent, ProtocolVersion, RatchetTreeIn,
		RequiredCapabilitiesExtension, SenderRatchetConfiguration, StagedWelcome, UnknownExtension,
	},
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
/// The group data extension of Lockstep (`docs/protocol.md`): any other of the same size would do.
const EXTENSION: u16 = 0xf10c;

fn capabilities() -> Capabilities {
	let extensions = [ExtensionType::Unknown(EXTENSION)];
	Capabilities::new(
		Some(&[ProtocolVersion::Mls10]),
		Some(&[SUITE]),
		Some(&extensions),
		Some(&[]),
		Some(&[CredentialType::Basic]),
	)
}

fn config() -> MlsGroupJoinConfig {
	MlsGroupJoinConfig::builder()
		.wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
		.use_ratchet_tree_extension(false)
		.max_past_epochs(5)
		.sender_ratchet_configuration(SenderRatchetConfiguration::new(64, 4096))
		.padding_size(64)
		.number_of_resumption_psks(0)
		.build()
}

fn extensions(name: &str) -> Extensions<GroupContext> {
	let mut data = GroupData::default();
	data.administrators.insert(name.as_bytes().to_vec());
	let required = RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(EXTENSION)], &[], &[]);
	let data = UnknownExtension(data.encode().expect("it encodes"));
	Extensions::from_vec(vec![Extension::RequiredCapabilities(required), Extension::Unknown(EXTENSION, data)])
		.expect("they go together")
}

/// See the module.
pub struct Raw {
	provider: OpenMlsRustCrypto,
	signer: SignatureKeyPair,
	credential: CredentialWithKey,
	name: String,
	group: Option<MlsGroup>,
}

/// A commit and its Welcome, with the tree that goes beside it, as bytes.
#[derive(Clone)]
pub struct Message {
	commit: Vec<u8>,
	welcome: Option<(Vec<u8>, Vec<u8>)>,
}

impl Raw {
	fn new(name: &str) -> Self {
		let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("a key");
		let credential = CredentialWithKey {
			credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
			signature_key: signer.public().into(),
		};
		let provider = OpenMlsRustCrypto::default();
		signer.store(provider.storage()).expect("it is stored");
		Self { provider, signer, credential, name: name.to_owned(), group: None }
	}

	/// A member that has founded a group.
	pub fn found() -> Self {
		let mut founder = Self::new("founder");
		founder.create();
		founder
	}

	/// Creates a group; that it was in one before is of no matter.
	pub fn create(&mut self) {
		let join = config();
		let group = MlsGroup::builder()
			.ciphersuite(SUITE)
			.lifetime(Lifetime::init(0, u64::MAX))
			.with_capabilities(capabilities())
			.with_group_context_extensions(extensions(&self.name))
			.with_wire_format_policy(join.wire_format_policy())
			.use_ratchet_tree_extension(false)
			.max_past_epochs(5)
			.sender_ratchet_configuration(*join.sender_ratchet_configuration())
			.padding_size(64)
			.number_of_resumption_psks(0)
			.build(&self.provider, &self.signer, self.credential.clone());
		self.group = Some(group.expect("it is made"));
	}

	/// The same member, at the same place, with a store of its own.
	pub fn again(&self) -> Self {
		let provider = OpenMlsRustCrypto::default();
		let values = self.provider.storage().values.read().expect("nothing panicked").clone();
		*provider.storage().values.write().expect("nothing panicked") = values;
		let id = self.group.as_ref().expect("a group").group_id();
		let group = MlsGroup::load(provider.storage(), id).expect("it is readable");
		let signer = SignatureKeyPair::read(provider.storage(), self.signer.public(), SUITE.signature_algorithm());
		let signer = signer.expect("it is stored");
		Self { provider, signer, credential: self.credential.clone(), name: self.name.clone(), group }
	}

	fn commit(&mut self, adds: Vec<KeyPackage>, removes: Vec<LeafNodeIndex>) -> Message {
		let group = self.group.as_mut().expect("a group");
		let storage = self.provider.storage();
		let builder = group.commit_builder().force_self_update(true).propose_adds(adds).propose_removals(removes);
		let builder = builder.load_psks(storage).expect("there are none").create_group_info(false);
		let built = builder.build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true);
		let messages = built.expect("it is built").stage_commit(&self.provider).expect("it is staged");
		let (commit, welcome, _) = messages.into_messages();
		let commit = commit.to_bytes().expect("it encodes");
		group.merge_pending_commit(&self.provider).expect("it is merged");
		let welcome = welcome.map(|welcome: MlsMessageOut| {
			let tree = group.export_ratchet_tree().tls_serialize_detached().expect("it encodes");
			(welcome.to_bytes().expect("it encodes"), tree)
		});
		Message { commit, welcome }
	}
}

fn protocol_message(bytes: &[u8]) -> openmls::prelude::ProtocolMessage {
	let message = MlsMessageIn::tls_deserialize_exact(bytes).expect("it decodes");
	message.try_into_protocol_message().expect("it is one")
}

impl Member for Raw {
	type Commit = Message;

	fn outside(&self, name: &str) -> Self {
		Self::new(name)
	}

	fn key_package(&mut self) -> Vec<u8> {
		let bundle = KeyPackage::builder()
			.key_package_lifetime(Lifetime::init(0, u64::MAX))
			.leaf_node_capabilities(capabilities())
			.build(SUITE, &self.provider, &self.signer, self.credential.clone())
			.expect("it is made");
		bundle.key_package().tls_serialize_detached().expect("it encodes")
	}

	fn join(&mut self, commit: &Message) {
		let (welcome, tree) = commit.welcome.as_ref().expect("a Welcome");
		let message = MlsMessageIn::tls_deserialize_exact(welcome).expect("it decodes");
		let MlsMessageBodyIn::Welcome(welcome) = message.extract() else { panic!("no Welcome") };
		let tree = RatchetTreeIn::tls_deserialize_exact(tree).expect("it decodes");
		let staged = StagedWelcome::new_from_welcome(&self.provider, &config(), welcome, Some(tree));
		let staged = staged.expect("it is good");
		self.group = Some(staged.into_group(&self.provider).expect("it is joined"));
	}

	fn add(&mut self, packages: Vec<Vec<u8>>) -> Message {
		let packages = packages.iter().map(|bytes| {
			let package = KeyPackageIn::tls_deserialize_exact(bytes).expect("it decodes");
			package.validate(self.provider.crypto(), ProtocolVersion::Mls10).expect("it is valid")
		});
		let packages = packages.collect();
		self.commit(packages, Vec::new())
	}

	fn remove(&mut self, names: Vec<String>) -> Message {
		let names: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
		let members = self.group.as_ref().expect("a group").members();
		let gone = members.filter(|member| names.contains(&member.credential.serialized_content()));
		let gone = gone.map(|member| member.index).collect();
		self.commit(Vec::new(), gone)
	}

	fn update(&mut self) -> Message {
		self.commit(Vec::new(), Vec::new())
	}

	fn process(&mut self, commit: &Message) {
		let group = self.group.as_mut().expect("a group");
		let processed = group.process_message(&self.provider, protocol_message(&commit.commit)).expect("it is valid");
		let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
			panic!("no commit");
		};
		group.merge_staged_commit(&self.provider, *staged).expect("it is merged");
	}

	fn encrypt(&mut self, data: &[u8]) -> Vec<u8> {
		let group = self.group.as_mut().expect("a group");
		let message = group.create_message(&self.provider, &self.signer, data).expect("it is encrypted");
		message.to_bytes().expect("it encodes")
	}

	fn decrypt(&mut self, bytes: &[u8]) {
		let group = self.group.as_mut().expect("a group");
		let processed = group.process_message(&self.provider, protocol_message(bytes)).expect("it is readable");
		let ProcessedMessageContent::ApplicationMessage(message) = processed.into_content() else {
			panic!("no message");
		};
		drop(message.into_bytes());
	}

	fn has_long_path(&self, limit: u32) -> bool {
		let group = self.group.as_ref().expect("a group");
		long_path(group.treesync(), group.own_leaf_index(), limit).expect("it is readable").is_some()
	}

	fn size(&self) -> usize {
		self.group.as_ref().expect("a group").members().count()
	}
}
