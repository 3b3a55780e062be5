//! The least of an HTTP client, for the foreign servers of the tests.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// Asks a server on loopback: the status and the body; none when nobody answers.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    ask_with(port, method, path, Some("application/json"), body)
}

/// The same with another type of content, or none.
pub(crate) fn ask_with(
    port: u16,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: &str,
) -> Option<(u16, String)> {
    let content_type = content_type.map(|value| format!("Content-Type: {value}\r\n")).unwrap_or_default();
    ask_as(port, method, path, &content_type, body)
}

/// The same with these lines in the head.
pub(crate) fn ask_as(port: u16, method: &str, path: &str, lines: &str, body: &str) -> Option<(u16, String)> {
    let (head, body) = head_and_body(port, method, path, lines, body)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body))
}

/// The same with the whole head of the answer.
pub(crate) fn head_and_body(port: u16, method: &str, path: &str, lines: &str, body: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    // HTTP/1.0: the answer ends with the connection and comes in one piece.
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}
