//! What the node tells Prometheus of the ordering of commits and of identities.

use lockstep_primitives::{identity::IdentityRefusal, Refusal};
use prometheus_endpoint::{register, Counter, CounterVec, Gauge, Opts, PrometheusError, Registry, U64};

#[derive(Clone)]
struct Registered {
	groups: Gauge<U64>,
	entries: Counter<U64>,
	refused: CounterVec<U64>,
	identities: Gauge<U64>,
	events: Counter<U64>,
	events_refused: CounterVec<U64>,
}

/// The metrics; nothing happens if Prometheus is off.
#[derive(Clone, Default)]
pub struct Metrics(Option<Registered>);

impl Metrics {
	/// Registers the metrics. All of them are there from the start, with value 0.
	pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		let Some(registry) = registry else { return Ok(Self::default()) };
		let refused = CounterVec::new(
			Opts::new("lockstep_entries_refused", "Candidate entries that this node refused over RPC, by reason"),
			&["reason"],
		)?;
		for refusal in Refusal::ALL {
			refused.with_label_values(&[refusal.name()]);
		}
		let events_refused = CounterVec::new(
			Opts::new("lockstep_events_refused", "Events of identities that this node refused over RPC, by reason"),
			&["reason"],
		)?;
		for refusal in IdentityRefusal::ALL {
			events_refused.with_label_values(&[refusal.name()]);
		}
		Ok(Self(Some(Registered {
			groups: register(Gauge::new("lockstep_groups", "Open groups in finalized state")?, registry)?,
			entries: register(
				Counter::new("lockstep_entries_appended", "Entries in finalized blocks since the node started")?,
				registry,
			)?,
			refused: register(refused, registry)?,
			identities: register(Gauge::new("lockstep_identities", "Identities in finalized state")?, registry)?,
			events: register(
				Counter::new(
					"lockstep_events_recorded",
					"Events of identities in finalized blocks since the node started",
				)?,
				registry,
			)?,
			events_refused: register(events_refused, registry)?,
		})))
	}

	/// The finalized state has this many groups.
	pub fn groups(&self, count: u32) {
		if let Some(metrics) = &self.0 {
			metrics.groups.set(count.into());
		}
	}

	/// This many entries became final.
	pub fn appended(&self, count: usize) {
		if let Some(metrics) = &self.0 {
			metrics.entries.inc_by(count as u64);
		}
	}

	/// A candidate was refused.
	pub fn refused(&self, reason: &str) {
		if let Some(metrics) = &self.0 {
			metrics.refused.with_label_values(&[reason]).inc();
		}
	}

	/// The finalized state has this many identities.
	pub fn identities(&self, count: u32) {
		if let Some(metrics) = &self.0 {
			metrics.identities.set(count.into());
		}
	}

	/// This many events of identities became final.
	pub fn recorded(&self, count: usize) {
		if let Some(metrics) = &self.0 {
			metrics.events.inc_by(count as u64);
		}
	}

	/// An event was refused.
	pub fn event_refused(&self, reason: &str) {
		if let Some(metrics) = &self.0 {
			metrics.events_refused.with_label_values(&[reason]).inc();
		}
	}
}
