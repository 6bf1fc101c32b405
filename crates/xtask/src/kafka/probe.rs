//! Asks a broker, in Kafka's own protocol, whether it is there: an open port is no answer yet.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const API_VERSIONS: i16 = 18;
const METADATA: i16 = 3;
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many brokers the one on this port knows to be ready: 1 when it has registered itself and takes requests.
pub fn brokers(port: u16) -> io::Result<i32> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let api_versions = ask(&mut stream, API_VERSIONS, &[])?;
    if api_versions.get(..2) != Some(&[0, 0]) {
        return Err(io::Error::other("it refused ApiVersions"));
    }
    // Metadata v0; an empty list of topics. The answer begins with the number of brokers.
    let metadata = ask(&mut stream, METADATA, &0_i32.to_be_bytes())?;
    let count = metadata.first_chunk().ok_or_else(|| io::Error::other("its answer is cut short"))?;
    Ok(i32::from_be_bytes(*count))
}

/// One request of version 0, and the body of its response.
fn ask(stream: &mut TcpStream, api: i16, body: &[u8]) -> io::Result<Vec<u8>> {
    const CORRELATION: i32 = 7;
    let mut request = Vec::new();
    request.extend_from_slice(&api.to_be_bytes());
    request.extend_from_slice(&0_i16.to_be_bytes()); // version
    request.extend_from_slice(&CORRELATION.to_be_bytes());
    request.extend_from_slice(&(-1_i16).to_be_bytes()); // no client id
    request.extend_from_slice(body);
    stream.write_all(&(request.len() as u32).to_be_bytes())?;
    stream.write_all(&request)?;

    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = u32::from_be_bytes(size) as usize;
    if !(4..1 << 20).contains(&size) {
        return Err(io::Error::other("that is not Kafka"));
    }
    let mut response = vec![0; size];
    stream.read_exact(&mut response)?;
    if response[..4] != CORRELATION.to_be_bytes() {
        return Err(io::Error::other("that is not Kafka"));
    }
    Ok(response.split_off(4))
}
