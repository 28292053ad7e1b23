//! The promises of the README, each a suite of its own, on four real validators.
//!
//! | Suite | Promise |
//! |---|---|
//! | [`p1_one_history`] | two honest members never apply different commits to the same epoch |
//! | [`p2_final_means_final`] | nobody acts on an entry that is not in a finalized block |
//! | [`p2_lying_nodes`] | a lying node moves nobody and is caught |
//! | [`p2_set_changes`] | members follow changes of the validators |
//! | [`p3_no_stuck_groups`] | a faulty commit delays a group by a bounded number of blocks |
//! | [`p4_removed_means_removed`] | a removed member places nothing into the order any more |
//! | [`p6_nothing_in_the_clear`] | chain and nodes keep neither identities nor plaintext |
//! | [`p7_provable_rotations`] | anyone with the genesis can check rotations, offline |
//! | [`clock`] | a member's clock does not matter to its verdicts |
//! | [`membership`] | members that go away, for a while or for good |
//! | [`bad_input`] | bytes from outside are refused, and nothing happens |

mod attack;
mod bad_input;
mod clock;
mod membership;
mod p1_one_history;
mod p2_final_means_final;
mod p2_lying_nodes;
mod p2_set_changes;
mod p3_no_stuck_groups;
mod p4_removed_means_removed;
mod p6_nothing_in_the_clear;
mod p7_provable_rotations;
