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
//! | [`p5_no_lost_state`] | members that are killed anywhere lose nothing and do nothing twice |
//! | [`p6_no_links`] | nothing that chain and nodes keep joins a group with a person, a commit with its committer, or a claim with its claimant |
//! | [`p6_nothing_in_the_clear`] | chain and nodes keep neither identities nor plaintext |
//! | [`p7_provable_rotations`] | anyone with the genesis can check rotations, offline |
//! | [`p7_identities`] | who has which devices is what those devices have signed, and the same for every reader |
//! | [`p7_devices`] | a person has several devices in a group, and what its log says of them comes about there |
//! | [`p7_key_packages`] | a person is added by what the person's devices have published, each of it given out once |
//! | [`p7_forks`] | a voucher that is spent on two forks is spent once |
//! | [`p7_lying_nodes`] | what nodes say of KeyPackages and claims is proven; what they say of changes makes a client late, and no more |
//! | [`p7_keeping`] | a client keeps its KeyPackages published, and is told what happened while it was away |
//! | [`p7_rotating`] | a device gets its next key and the KeyPackages of it in one step |
//! | [`p7_members`] | in a group of people, a leaf counts if its key is a device of its identity in the block of the entry |
//! | [`p7_recovery`] | a person who takes an identity back comes into groups again, a thief does not, and nothing that was committed changes |
//! | [`p7_two_implementations`] | KeyPackages of another MLS implementation are claimed, and its members are members like others |
//! | [`clock`] | a member's clock does not matter to its verdicts |
//! | [`membership`] | members that go away, for a while or for good |
//! | [`retention`] | nodes that delete old blocks, and members that were away for longer |
//! | [`conversation`] | what `docs/cli.md` shows: two people talk, one is killed, and the conversation goes on |
//! | [`people_talk`] | what `docs/cli.md` says of people: found by their ids, with several devices, and a way back |
//! | [`bad_input`] | bytes from outside are refused, and nothing happens |

//!
//! What leaves the nodes alone is played on one network, side by side ([`lockstep_tests::scenes`]); the other suites
//! have one to themselves.

mod bad_input;
mod clock;
mod conversation;
mod lies;
mod membership;
mod p1_one_history;
mod p2_final_means_final;
mod p2_lying_nodes;
mod p2_set_changes;
mod p3_no_stuck_groups;
mod p4_removed_means_removed;
mod p5_no_lost_state;
mod p6_no_links;
mod p6_nothing_in_the_clear;
mod p7_devices;
mod p7_forks;
mod p7_identities;
mod p7_keeping;
mod p7_key_packages;
mod p7_lying_nodes;
mod p7_members;
mod p7_provable_rotations;
mod p7_recovery;
mod p7_rotating;
mod p7_two_implementations;
mod people_talk;
mod retention;
mod second;

use lockstep_tests::{person, scenes, scenes::play, Network, Result};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_network_that_nothing_disturbs() -> Result<()> {
	let network = Network::start().await?;
	play(scenes![&network;
		p1_one_history::five_members_race_a_hundred_times,
		p3_no_stuck_groups::endorsed_garbage_is_passed_over,
		p3_no_stuck_groups::a_bundle_for_another_epoch_is_passed_over,
		p3_no_stuck_groups::a_commit_under_a_key_that_is_not_its_own_is_passed_over,
		p3_no_stuck_groups::commits_that_lost_against_garbage_come_through,
		p4_removed_means_removed::every_key_of_a_removed_member_is_worthless,
		p5_no_lost_state::members_are_killed_again_and_again,
		p6_nothing_in_the_clear::blocks_stores_and_logs_hold_no_identity_and_no_plaintext,
		p7_provable_rotations::the_rotations_of_a_group_are_proven_by_one_file,
		p7_identities::a_person_is_what_its_devices_have_signed,
		p7_identities::nobody_else_brings_a_device_in,
		p7_identities::vouchers_pay_once_and_name_nobody,
		p7_identities::of_two_events_for_one_position_one_is_recorded,
		p7_identities::a_node_that_leaves_events_out_is_asked_no_more,
		p7_devices::all_devices_come_in_and_one_member_takes_out_the_revoked_one,
		p7_devices::a_new_device_comes_into_its_groups_by_itself,
		p7_key_packages::a_person_is_found_claimed_and_added,
		p7_key_packages::a_thousand_claims_race_for_a_hundred_key_packages,
		p7_lying_nodes::no_lie_about_a_stock_or_a_claim_is_believed,
		p7_lying_nodes::a_hidden_revocation_makes_clients_late_and_lets_no_commit_pass,
		p7_lying_nodes::beside_an_honest_node_a_liar_about_changes_makes_no_client_late,
		p7_keeping::a_stock_is_kept_and_a_last_resort_serves_two,
		p7_keeping::what_happened_meanwhile_is_told_once,
		p7_keeping::a_node_that_stands_still_hides_no_news,
		p7_keeping::who_was_closed_is_told_everything_in_order,
		p7_rotating::a_device_with_another_key_can_be_added_from_the_same_block_on,
		p7_members::who_is_no_device_commits_nothing,
		p7_members::nobody_comes_in_under_the_name_of_another,
		p7_recovery::who_was_away_over_a_recovery_agrees,
		p7_two_implementations::members_of_openmls_and_of_mls_rs_share_a_group,
		clock::a_member_months_ahead_agrees_on_an_added_key_package,
		membership::a_member_that_was_away_catches_up,
		membership::more_is_said_than_fits_into_one_epoch,
		membership::the_largest_messages_reach_everybody,
		membership::a_member_leaves_and_another_commits_it,
		retention::a_node_that_started_in_the_middle_is_no_liar,
		conversation::two_people_talk_in_two_terminals,
		conversation::who_lost_its_store_is_readmitted,
		conversation::a_group_is_paid_for_by_a_voucher_once,
		conversation::who_lost_its_device_comes_back_from_a_backup,
		people_talk::two_people_find_each_other_and_talk,
		people_talk::a_device_comes_in_goes_and_the_identity_is_recovered,
		people_talk::a_profile_with_vouchers_brings_in_a_device_and_says_what_happened,
		bad_input::nodes_refuse_it_and_go_on,
	])
	.await?;
	network.finish().await
}
