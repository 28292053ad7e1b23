//! Whose socket it is, as the system knows it (`proc(5)`: `/proc/net/tcp`, `/proc/[pid]/fd`).

use std::{
	fs,
	net::{IpAddr, SocketAddr},
};

/// The one of these processes that holds the TCP socket with this local address. Only IPv4.
pub fn owner_of(local: SocketAddr, candidates: &[u32]) -> Option<u32> {
	let table = fs::read_to_string("/proc/net/tcp").ok()?;
	let inode = inode_of(&table, local)?;
	let link = format!("socket:[{inode}]");
	candidates.iter().copied().find(|pid| holds(*pid, &link))
}

/// The inode of a socket in the system's table: the tenth column of the line with this local address.
fn inode_of(table: &str, local: SocketAddr) -> Option<&str> {
	let IpAddr::V4(ip) = local.ip() else { return None };
	// The address is printed as a number in the machine's own byte order.
	let wanted = format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), local.port());
	let mut lines = table.lines().map(|line| line.split_ascii_whitespace());
	lines.find_map(|mut columns| (columns.nth(1) == Some(wanted.as_str())).then(|| columns.nth(7))?)
}

fn holds(pid: u32, link: &str) -> bool {
	let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
	descriptors.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|to| to.as_os_str() == link))
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::net::{TcpListener, TcpStream};

	#[test]
	fn a_socket_of_this_process_is_found() {
		let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
		let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
		let (own, parent) = (std::process::id(), std::os::unix::process::parent_id());
		assert_eq!(owner_of(stream.local_addr().unwrap(), &[parent, own]), Some(own));
		assert_eq!(owner_of(stream.local_addr().unwrap(), &[parent]), None);
	}

	#[test]
	fn reads_the_table() {
		let table =
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
			0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0\n";
		assert_eq!(inode_of(table, SocketAddr::from(([127, 0, 0, 1], 8080))), Some("12345"));
		assert_eq!(inode_of(table, SocketAddr::from(([127, 0, 0, 1], 8081))), None);
	}
}
