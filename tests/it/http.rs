//! The least of an HTTP client, for the foreign servers of the tests.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
};

/// The status and the body of an answer, or why there is none.
pub(crate) type Answer = io::Result<(u16, String)>;

/// Asks a server on loopback.
pub(crate) fn ask(port: u16, method: &str, path: &str, body: &str) -> Answer {
    ask_with(port, method, path, Some("application/json"), body)
}

/// The same with another type of content, or none.
pub(crate) fn ask_with(port: u16, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Answer {
    let content_type = content_type.map(|value| format!("Content-Type: {value}\r\n")).unwrap_or_default();
    ask_as(port, method, path, &content_type, body)
}

/// The same with these lines in the head.
pub(crate) fn ask_as(port: u16, method: &str, path: &str, lines: &str, body: &str) -> Answer {
    let (head, body) = head_and_body(port, method, path, lines, body)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| no_answer(&head))?, body))
}

/// The same with the whole head of the answer.
pub(crate) fn head_and_body(
    port: u16,
    method: &str,
    path: &str,
    lines: &str,
    body: &str,
) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    // HTTP/1.0: the answer ends with the connection and comes in one piece.
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| no_answer(&answer))?;
    Ok((head.to_owned(), body.to_owned()))
}

fn no_answer(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is no answer"))
}
