//! To how many nodes paths are encrypted: as many as OpenMLS encrypts them to.

use super::{
	add, commit, group,
	hostile::{forge, Crypto, Fault},
	remove,
	trees::packages,
	Intent, Log, Member,
};
use crate::mls::{constants::MAX_COMMIT, long_paths, Batch, BuildError, LongPath, Placed};
use rand::{rngs::StdRng, Rng, SeedableRng};

/// How many texts are encrypted as this member renews its keys.
fn encrypted(member: &Member, log: &Log) -> u64 {
	let counting = Crypto::with(Fault::NthText(usize::MAX));
	forge(member, log, &counting, |builder| builder);
	u64::try_from(counting.call()).unwrap()
}

fn nodes(member: &Member, log: &Log) -> u64 {
	let mls = member.read(|engine, overlay| engine.load(overlay, &log.group)).unwrap();
	long_paths::path(mls.treesync(), mls.own_leaf_index()).unwrap().0
}

fn long(member: &Member, log: &Log, limit: u32) -> Option<LongPath> {
	member.read(|engine, overlay| engine.long_path(overlay, &log.group, limit)).unwrap()
}

/// Members who commit, and others who only come and go.
#[test]
fn a_path_has_as_many_nodes_as_are_encrypted() {
	for seed in 0..4 {
		let random = &mut StdRng::seed_from_u64(seed);
		let (mut log, mut members) = group(&["a", "b", "c", "d", "e"]);
		let names: Vec<String> = (0..24).map(|number| format!("{seed} {number}")).collect();
		let mut outside = packages(&names).into_iter().zip(&names).collect::<Vec<_>>();
		let mut inside: Vec<&str> = Vec::new();
		for _ in 0..16 {
			let intent = match random.gen_range(0..3) {
				0 if !outside.is_empty() => {
					let count = random.gen_range(1..=outside.len().min(7));
					let (coming, names): (Vec<_>, Vec<_>) = outside.drain(..count).unzip();
					inside.extend(names.into_iter().map(String::as_str));
					add(&coming)
				}
				1 if !inside.is_empty() => {
					let count = random.gen_range(1..=inside.len().min(3));
					let going: Vec<&str> =
						(0..count).map(|_| inside.swap_remove(random.gen_range(0..inside.len()))).collect();
					remove(&going)
				}
				_ => Intent::Update,
			};
			let committer = random.gen_range(0..members.len());
			commit(&mut members, &mut log, committer, &intent);
			for member in &members {
				assert_eq!(nodes(member, &log), encrypted(member, &log), "{} of seed {seed}", member.name());
			}
		}
	}
}

/// 16 members, of whom the first one has added all: b beside it, c to e, and the others, who do nothing.
#[test]
fn a_path_is_long_for_whom_it_is_to_be_renewed_by() {
	let (mut log, mut members) = group(&["a", "b", "c", "d", "e"]);
	assert!(members.iter().all(|member| long(member, &log, 4).is_none()), "a path to four others is not long");
	let names: Vec<String> = (5..16).map(|number| format!("m{number}")).collect();
	commit(&mut members, &mut log, 0, &add(&packages(&names)));
	// a and b, c and d, e and m5, m6 and m7 are branches, and the branch of the eight others is blank.
	let seen: Vec<_> = members.iter().map(|member| long(member, &log, 4)).collect();
	let turn = |nodes, turn| Some(LongPath { nodes, turn });
	assert_eq!(seen, [None, None, turn(14, 0), turn(14, 1), turn(12, 0)]);
	assert_eq!(nodes(&members[0], &log), 15);
	assert!(members.iter().all(|member| long(member, &log, 15).is_none()), "nobody's has more than 15");
	// Whoever is in a branch of which a member has renewed its keys spares nobody anything.
	commit(&mut members, &mut log, 3, &Intent::Update);
	let seen: Vec<_> = members.iter().map(|member| long(member, &log, 4)).collect();
	assert_eq!(seen, [None, None, None, None, turn(12, 0)]);
	assert_eq!(nodes(&members[0], &log), 14);
	// Until it is left by one, whose place is blank, and whose path with it; then the other one is alone.
	commit(&mut members, &mut log, 0, &remove(&["d"]));
	members.remove(3);
	assert_eq!(long(&members[2], &log, 4), None);
}

/// What becomes of these, if a commit has no more than so many bytes.
fn built(member: &mut Member, log: &Log, max_commit: usize, intents: &[Intent]) -> Batch {
	member.engine.max_commit = max_commit;
	let batch = member.read(|engine, overlay| engine.build_commit(overlay, &log.group, intents)).unwrap();
	member.engine.max_commit = MAX_COMMIT;
	batch
}

#[test]
fn a_commit_that_is_too_large_for_its_path_is_told_from_one_that_wants_too_much() {
	let (mut log, mut members) = group(&["a", "b", "c"]);
	let names: Vec<String> = (3..16).map(|number| format!("m{number}")).collect();
	commit(&mut members, &mut log, 0, &add(&packages(&names)));
	let length = built(&mut members[0], &log, MAX_COMMIT, &[Intent::Update]).prepared.unwrap().payload.0.len();
	let path = BuildError::LongPath { nodes: 15, length, max: length - 1 };
	let more = packages(&["x".to_owned(), "y".to_owned()]);
	let intents = [Intent::Update, add(&more[..1]), add(&more[1..])];
	let batch = built(&mut members[0], &log, length - 1, &intents);
	assert!(batch.prepared.is_none());
	assert_eq!(batch.placed[0], Placed::Refused(path));
	assert!(batch.placed.iter().all(|placed| matches!(placed, Placed::Refused(BuildError::LongPath { .. }))));
	// Where there is room for an update, what wants more keeps out nothing else; where the path alone is too long, nothing goes.
	let batch = built(&mut members[0], &log, length, &[add(&more), Intent::Update]);
	let is_long = |placed: &Placed| matches!(placed, Placed::Refused(BuildError::LongPath { .. }));
	assert!(is_long(&batch.placed[0]) && batch.placed[1] == Placed::Included, "{:?}", batch.placed);
	assert!(batch.prepared.is_some());
	let full = BuildError::LongPath { nodes: 15, length, max: 15 * 82 };
	assert!(length - 11 * 82 <= 15 * 82);
	let batch = built(&mut members[0], &log, 15 * 82, &[Intent::Update, add(&more)]);
	assert_eq!(batch.placed, [full.clone(), full].map(Placed::Refused), "one stands for all");
	// With what others can spare it an update would go into as many bytes, and two KeyPackages would not.
	let shortest = length - 11 * 82;
	for (max, is_long) in [(shortest, true), (shortest - 1, false)] {
		let placed = built(&mut members[0], &log, max, &[Intent::Update]).placed;
		assert_eq!(matches!(placed[..], [Placed::Refused(BuildError::LongPath { .. })]), is_long, "{placed:?}");
	}
	let placed = built(&mut members[0], &log, shortest, &[add(&more)]).placed;
	assert!(matches!(placed[..], [Placed::Refused(BuildError::Bundle(_))]), "{placed:?}");
	// c renews its keys, and a's path has three nodes less: what was too long goes into as many bytes.
	commit(&mut members, &mut log, 2, &Intent::Update);
	let batch = built(&mut members[0], &log, length - 1, &[Intent::Update]);
	assert_eq!(batch.placed, [Placed::Included]);
}
