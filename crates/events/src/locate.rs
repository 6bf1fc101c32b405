//! Where in a JSON text a path leads: byte offset, line and column. Used on the error path only.
//!
//! Works on text that is known to be one valid JSON document of bounded depth; anything else gives `None`.

use crate::contract::Step;

/// Line and column (1-based, in bytes) of a byte offset.
pub(crate) fn line_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.split(|b| *b == b'\n').count();
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
    (line, column)
}

/// The byte offset of a line and column as serde_json counts them (column 0 = before the first byte of the line).
pub(crate) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// How deep arrays and objects nest, strings left out; counting stops at `limit`.
pub(crate) fn depth(text: &[u8], limit: usize) -> usize {
    let (mut depth, mut deepest, mut string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            _ if string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
                if deepest > limit {
                    break;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Byte offset of the value that a path leads to. Steps may name keys by text.
pub(crate) fn value_at(text: &str, path: &[Part<'_>]) -> Option<usize> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.space();
    for part in path {
        match part {
            Part::Index(index) => scan.enter_array(*index)?,
            Part::Name(name) => scan.enter_object(name)?,
        }
    }
    Some(scan.at)
}

/// A step of a path in a JSON text.
#[derive(Debug, Clone)]
pub(crate) enum Part<'a> {
    Name(&'a str),
    Index(usize),
}

/// The contract's path as parts of a text; `None` where a name is masked.
pub(crate) fn parts(path: &[Step]) -> Option<Vec<Part<'static>>> {
    path.iter()
        .map(|s| match s {
            Step::Name(n) => Some(Part::Name(n)),
            Step::Index(i) => Some(Part::Index(*i)),
            Step::Masked => None,
        })
        .collect()
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)?;
        self.space();
        Some(())
    }

    fn enter_array(&mut self, index: usize) -> Option<()> {
        self.eat(b'[')?;
        for _ in 0..index {
            self.skip()?;
            self.eat(b',')?;
        }
        Some(())
    }

    fn enter_object(&mut self, name: &str) -> Option<()> {
        self.eat(b'{')?;
        loop {
            let start = self.at;
            self.string()?;
            let key: String = serde_json::from_slice(&self.bytes[start..self.at]).ok()?;
            self.eat(b':')?;
            if key == name {
                return Some(());
            }
            self.skip()?;
            self.eat(b',')?;
        }
    }

    fn string(&mut self) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                _ => self.at += 1,
            }
        }
    }

    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.space();
            match self.peek()? {
                b'"' => self.string()?,
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while !matches!(self.peek(), None | Some(b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
                    {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
