//! Joining records by their values.

use super::{Constants, Record, VALUE};
use std::{
	collections::{btree_map::Entry, hash_map, BTreeMap, BTreeSet, HashMap, VecDeque},
	fmt,
};

/// What must not be joined, by the 32 bytes of its id.
pub type Names = BTreeMap<[u8; 32], String>;

/// Records, joined by their values.
#[derive(Debug)]
pub struct Scan<'a> {
	records: &'a [Record],
	/// For each record another one with which it hangs together, the same for all that do.
	roots: Vec<usize>,
	/// By what the records hang together, and no more than that takes.
	joints: Vec<Joint>,
}

#[derive(Debug)]
struct Joint {
	records: [usize; 2],
	value: [u8; VALUE],
}

/// Some things that hang together, and how two of them do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
	/// The names of all of them.
	pub joined: BTreeSet<String>,
	/// From a record of one, by values, to a record of another.
	pub path: Vec<String>,
}

impl fmt::Display for Link {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let joined: Vec<&str> = self.joined.iter().map(String::as_str).collect();
		write!(f, "{} are joined:\n\t{}", joined.join(", "), self.path.join("\n\t"))
	}
}

/// Follows the records up to the one that stands for all of them.
fn root(parents: &mut [usize], mut at: usize) -> usize {
	while parents[at] != at {
		parents[at] = parents[parents[at]];
		at = parents[at];
	}
	at
}

impl<'a> Scan<'a> {
	/// Joins these records by every value that is fresh beside these constants.
	pub fn of(records: &'a [Record], constants: &Constants) -> Self {
		let mut first: HashMap<[u8; VALUE], usize> = HashMap::new();
		let mut parents: Vec<usize> = (0..records.len()).collect();
		let mut joints = Vec::new();
		for (at, record) in records.iter().enumerate() {
			for value in record.parts.iter().flat_map(|part| constants.fresh(part)) {
				let other = match first.entry(value) {
					hash_map::Entry::Occupied(other) => *other.get(),
					hash_map::Entry::Vacant(vacant) => *vacant.insert(at),
				};
				let (one, two) = (root(&mut parents, other), root(&mut parents, at));
				if one != two {
					parents[two] = one;
					joints.push(Joint { records: [other, at], value });
				}
			}
		}
		let roots = (0..records.len()).map(|at| root(&mut parents, at)).collect();
		Self { records, roots, joints }
	}

	/// What hangs together with something that has this id in it.
	pub fn around(&self, id: &[u8; 32]) -> Vec<&'a Record> {
		let has = |at: &usize| self.records[*at].parts.iter().any(|part| memchr::memmem::find(part, id).is_some());
		let roots: BTreeSet<usize> = (0..self.records.len()).filter(has).map(|at| self.roots[at]).collect();
		self.records
			.iter()
			.zip(&self.roots)
			.filter(|(_, root)| roots.contains(root))
			.map(|(record, _)| record)
			.collect()
	}

	/// Those of these names that hang together.
	pub fn links(&self, names: &Names) -> Vec<Link> {
		let mut named = Vec::new();
		for (at, record) in self.records.iter().enumerate() {
			let ids = record.parts.iter().flat_map(|part| part.array_windows::<32>());
			let found: BTreeSet<&String> = ids.filter_map(|id| names.get(id)).collect();
			named.extend(found.into_iter().map(|name| (at, name.as_str())));
		}
		self.links_between(&named)
	}

	/// The acts that have more in common than what the protocol shows on purpose. The names are those of the records.
	pub fn pseudonyms(records: &'a [Record], constants: &Constants) -> Vec<Link> {
		let mut known = constants.clone();
		records.iter().flat_map(|record| &record.shown).for_each(|shown| known.add(shown));
		let acts = records.iter().enumerate().filter(|(_, record)| record.kind.is_act());
		let acts: Vec<(usize, &str)> = acts.map(|(at, record)| (at, record.name.as_str())).collect();
		Self::of(records, &known).links_between(&acts)
	}

	fn links_between(&self, named: &[(usize, &str)]) -> Vec<Link> {
		let mut together: BTreeMap<usize, Vec<(usize, &str)>> = BTreeMap::new();
		for (at, name) in named {
			together.entry(self.roots[*at]).or_default().push((*at, name));
		}
		let mut links = Vec::new();
		for named in together.values() {
			let joined: BTreeSet<String> = named.iter().map(|(_, name)| (*name).to_owned()).collect();
			if joined.len() > 1 {
				links.push(Link { joined, path: self.path(named) });
			}
		}
		links
	}

	/// The shortest way from the first of these names to another one.
	fn path(&self, named: &[(usize, &str)]) -> Vec<String> {
		let Some((_, first)) = named.first() else { return Vec::new() };
		let mut beside: BTreeMap<usize, Vec<(usize, &Joint)>> = BTreeMap::new();
		for joint in &self.joints {
			let [one, other] = joint.records;
			beside.entry(one).or_default().push((other, joint));
			beside.entry(other).or_default().push((one, joint));
		}
		let mut from: BTreeMap<usize, Option<(usize, &Joint)>> = BTreeMap::new();
		let starts = named.iter().filter(|(_, name)| name == first).map(|(at, _)| *at);
		let mut next: VecDeque<usize> = starts.collect();
		from.extend(next.iter().map(|at| (*at, None)));
		while let Some(at) = next.pop_front() {
			if named.iter().any(|(other, name)| *other == at && name != first) {
				return self.way(&from, at);
			}
			for (other, joint) in beside.get(&at).into_iter().flatten() {
				if let Entry::Vacant(vacant) = from.entry(*other) {
					vacant.insert(Some((at, joint)));
					next.push_back(*other);
				}
			}
		}
		Vec::new()
	}

	/// The way back from a record, the other way round.
	fn way(&self, from: &BTreeMap<usize, Option<(usize, &Joint)>>, mut at: usize) -> Vec<String> {
		let mut steps = vec![self.records[at].name.clone()];
		while let Some(Some((before, joint))) = from.get(&at) {
			steps.push(format!("has 0x{} in common with", hex::encode(joint.value)));
			steps.push(self.records[*before].name.clone());
			at = *before;
		}
		steps
	}
}
