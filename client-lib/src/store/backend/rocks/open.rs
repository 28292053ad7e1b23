//! Opening RocksDB: its settings, and what is done about a log of recent writes that ends in the middle of one.

use crate::store::StoreError;
use rocksdb::{BlockBasedOptions, Cache, DBRecoveryMode, ErrorKind, LogLevel, Options, DB};
use std::path::Path;

/// Bytes of recent writes held in memory before they are flushed to a file. A member writes a few
/// hundred kilobytes per epoch; the default of 64 MiB would be most of a client's memory.
const WRITE_BUFFER: usize = 2 * 1024 * 1024;
/// Bytes of blocks cached for reading. The state of an active group is read again and again, and is small.
const BLOCK_CACHE: usize = 2 * 1024 * 1024;
/// Files kept open; a member's database has a handful.
const MAX_OPEN_FILES: i32 = 64;
/// Size from which on a value is kept in a file apart. The small records beside it would be read and written with it.
const LARGE: u64 = 4 * 1024;
/// Size at which the log of recent writes forces a flush.
const MAX_WAL: u64 = 8 * 1024 * 1024;
/// Size and number of RocksDB's own log files, which it otherwise never deletes.
const INFO_LOG: (usize, usize) = (256 * 1024, 2);

/// Opens the database in a folder that exists.
///
/// Every write is synchronised before it is reported, so a crash can tear the last one only, which nobody was told
/// of. A log that is damaged anywhere else has lost writes that were reported: going on from before them would be
/// going back in time, with keys and nonces that were used already. That is refused.
pub(super) fn open(path: &Path) -> Result<DB, StoreError> {
	// Tolerates an incomplete last write.
	DB::open(&options(DBRecoveryMode::TolerateCorruptedTailRecords), path)
		.or_else(|error| {
			if error.kind() == ErrorKind::Corruption && ends_at_damage(path) {
				tracing::warn!(path = %path.display(), %error, "the last write was torn, and is given up");
				return DB::open(&options(DBRecoveryMode::PointInTime), path);
			}
			Err(error)
		})
		.map_err(|error| StoreError::from_open(path, &error))
}

/// Whether nothing can be read behind the first damage in the log: then the damage is a last write that reached the
/// disk in part. Looks without changing anything.
fn ends_at_damage(path: &Path) -> bool {
	let newest = |mode| DB::open_for_read_only(&options(mode), path, false).map(|db| db.latest_sequence_number());
	match (newest(DBRecoveryMode::PointInTime), newest(DBRecoveryMode::SkipAnyCorruptedRecord)) {
		(Ok(before), Ok(behind)) => before == behind,
		_ => false,
	}
}

fn options(mode: DBRecoveryMode) -> Options {
	let mut table = BlockBasedOptions::default();
	table.set_block_cache(&Cache::new_lru_cache(BLOCK_CACHE));
	table.set_cache_index_and_filter_blocks(true);
	let mut options = Options::default();
	options.create_if_missing(true);
	options.set_wal_recovery_mode(mode);
	options.set_block_based_table_factory(&table);
	options.set_write_buffer_size(WRITE_BUFFER);
	options.set_max_write_buffer_number(2);
	options.set_max_total_wal_size(MAX_WAL);
	options.set_enable_blob_files(true);
	options.set_min_blob_size(LARGE);
	options.set_enable_blob_gc(true);
	options.set_max_open_files(MAX_OPEN_FILES);
	options.set_max_file_opening_threads(1);
	options.set_max_background_jobs(2);
	options.set_log_level(LogLevel::Warn);
	options.set_max_log_file_size(INFO_LOG.0);
	options.set_keep_log_file_num(INFO_LOG.1);
	options.set_stats_dump_period_sec(0);
	options
}
