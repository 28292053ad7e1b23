//! The store's own promises: what is committed is there after reopening, what is not never was.
mod overlay;
mod storage;
