//! Scenes that do not get in each other's way, played side by side on one network: starting four validators takes
//! longer than most scenes do.
//!
//! Each is played to its end whatever becomes of the others, and those that failed are named. Set `LOCKSTEP_SCENE` to
//! a part of a name to play only the scenes that have it.

use crate::{Error, Result};
use futures::{
	future::LocalBoxFuture,
	stream::{FuturesUnordered, StreamExt},
	FutureExt,
};
use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Instant};

/// Which scenes are wanted; all if it is not set.
const WANTED: &str = "LOCKSTEP_SCENE";

/// A part of a suite, with a name.
pub struct Scene<'a> {
	name: &'static str,
	plot: LocalBoxFuture<'a, Result<()>>,
}

impl<'a> Scene<'a> {
	/// A scene that ends well, in an error or in a panic.
	pub fn new(name: &'static str, plot: impl Future<Output = Result<()>> + 'a) -> Self {
		Self { name, plot: plot.boxed_local() }
	}
}

/// A list of [`Scene`]s, from paths of functions of a network.
#[macro_export]
macro_rules! scenes {
	($network:expr; $($scene:path),+ $(,)?) => {
		vec![$($crate::scenes::Scene::new(stringify!($scene), $scene($network))),+]
	};
}

/// Plays these scenes to the end. An error names those that failed.
pub async fn play(mut scenes: Vec<Scene<'_>>) -> Result<()> {
	if let Ok(wanted) = std::env::var(WANTED) {
		scenes.retain(|scene| scene.name.contains(&wanted));
	}
	let start = Instant::now();
	let playing = scenes.into_iter().map(|Scene { name, plot }| async move {
		let ended = AssertUnwindSafe(plot).catch_unwind().await;
		(name, ended.unwrap_or_else(|panic| Err(Error::Broken(words(&*panic)))))
	});
	let mut playing: FuturesUnordered<_> = playing.collect();
	let mut failed = Vec::new();
	while let Some((name, ended)) = playing.next().await {
		let after = start.elapsed().as_secs();
		match ended {
			Ok(()) => eprintln!("{after:4} s  {name}"),
			Err(error) => {
				eprintln!("{after:4} s  {name} FAILED: {error}");
				failed.push(format!("{name}: {error}"));
			}
		}
	}
	if failed.is_empty() {
		return Ok(());
	}
	Err(Error::Broken(format!("{} scenes failed\n{}", failed.len(), failed.join("\n"))))
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
	let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
	format!("panicked: {}", text.unwrap_or("without words"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn all_are_played_and_those_that_failed_are_named() {
		let played = std::cell::Cell::new(0);
		let scene = |ends: Result<()>| {
			let played = &played;
			async move {
				tokio::task::yield_now().await;
				played.set(played.get() + 1);
				ends
			}
		};
		let scenes = vec![
			Scene::new("panics", async { panic!("at the {}", "sight") }),
			Scene::new("fails", scene(Err(Error::Broken("no good".into())))),
			Scene::new("ends well", scene(Ok(()))),
		];
		let error = play(scenes).await.unwrap_err().to_string();
		assert_eq!(played.get(), 2);
		assert!(error.contains("panics: panicked: at the sight") && error.contains("fails: no good"), "{error}");
		assert!(!error.contains("ends well"), "{error}");
	}
}
