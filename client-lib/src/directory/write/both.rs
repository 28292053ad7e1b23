//! An event and a publication in one step.

use super::{
	key_packages::Changed,
	pending::Pending,
	reaching::{Found, Goal},
	Directory, DirectoryError, Record, Way,
};
use crate::directory::{History, KeyPackageRefusal, SignedEvent, SignedPublication, Stock};

impl Directory {
	/// Records the next event of an identity and publishes KeyPackages of a device that the identity has after it, in one extrinsic,
	/// of which the chain takes both or nothing. Waits until both are final. Gives the identity with the event, and the stock
	/// with the KeyPackages. To do it again changes nothing and is no error, whatever has come about by then.
	///
	/// Whoever sees the extrinsic before it is in a block can have the event recorded alone. Then the KeyPackages are published after
	/// it, as by [`Self::publish`].
	///
	/// # Errors
	/// [`DirectoryError::NotPublished`] if the event is recorded, for good, and of the KeyPackages it is not known, or known that they are
	/// refused. After any other error the event is not known to be recorded: as [`Self::record`] says, and [`DirectoryError::KeyPackages`]
	/// if the chain does not take the publication, so that neither was submitted, or as each node says, or because an init key
	/// of it was published by somebody else: then record the event without it. Whoever has a key of a device of the person, the one that
	/// is to be given up for example, and sees the publication on its way can bring that about.
	pub async fn record_and_publish(
		&self,
		event: &SignedEvent,
		signed: &SignedPublication,
	) -> Result<(History, Stock), DirectoryError> {
		let (recorded, published) = (Record(event), Changed::by(signed)?);
		let history = match recorded.look(self).await? {
			Found::There(history) => history,
			Found::Free(history, head) => {
				let after = self.judge(event, history, head)?;
				if !has_device(&after, signed) {
					return Err(DirectoryError::KeyPackages(KeyPackageRefusal::UnknownDevice));
				}
				let extrinsic = match published.look(self).await? {
					// The device was there before the event.
					Found::There(_) => event.to_extrinsic(),
					Found::Free(..) => signed.to_extrinsic_with(event),
				};
				self.reach(&recorded, Pending::new(&self.nodes, Way::General(extrinsic))).await?
			}
		};
		// No older state is looked at than the one that has the event: if the KeyPackages are not in it, the event came alone.
		let published = self.publish(signed).await;
		let stock = published.map_err(|error| DirectoryError::NotPublished(Box::new(error)))?;
		Ok((history, stock))
	}
}

/// Whether the device that publishes has its place in this identity.
fn has_device(history: &History, signed: &SignedPublication) -> bool {
	let publication = &signed.publication;
	let state = history.newest().filter(|state| !state.closed && history.identity() == publication.identity);
	state.is_some_and(|state| state.device(&publication.device).is_some())
}
