//! The barest HTTP reader: one connection, one request at a time, nothing looked at. What it drains in a second is what
//! the simulator can give.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use salesforce_pushtopic::http::{HttpError, Method, Request, Response};

/// One connection to an origin on plain http.
pub(crate) struct Connection {
    authority: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to `http://host:port`.
    pub(crate) fn open(origin: &str) -> std::io::Result<Self> {
        let authority = origin.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&authority)?;
        stream.set_nodelay(true)?;
        Ok(Self { authority, stream: BufReader::with_capacity(64 << 10, stream) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn exchange(&mut self, request: &Request) -> std::io::Result<Response> {
        let path = request.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut head = format!("{method} {} HTTP/1.1\r\nhost: {}\r\n", path.unwrap_or("/"), self.authority);
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {}\r\n", value.expose()));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        self.stream.get_mut().write_all(&[head.as_bytes(), &request.body].concat())?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<Response> {
        let bad = |what: &str| std::io::Error::other(format!("an answer with {what}"));
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| bad("no status"))?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut body = Vec::new();
        match headers.iter().find(|(name, _)| name == "content-length") {
            Some((_, length)) => self.part(length.parse().map_err(|_| bad("no length"))?, &mut body)?,
            None => loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim_end(), 16).map_err(|_| bad("no length"))?;
                self.part(length, &mut body)?;
                self.stream.read_line(&mut line)?;
                if length == 0 {
                    break;
                }
            },
        }
        Ok(Response { status, headers, body })
    }

    /// Reads so many bytes of a body.
    fn part(&mut self, length: usize, body: &mut Vec<u8>) -> std::io::Result<()> {
        let start = body.len();
        body.resize(start + length, 0);
        self.stream.read_exact(&mut body[start..])
    }
}

/// The error of a transport as the core knows it.
pub(crate) fn broken(error: &std::io::Error) -> HttpError {
    HttpError::Broken(error.to_string())
}
