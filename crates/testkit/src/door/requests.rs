//! Requests that are wrong as a whole: heads, codings, batches, files, lengths, time.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::answers::{MARK, Want};
use super::dice::Dice;
use super::event;
use super::http::{head, request};

/// The agency that sends what is bad.
pub const AGENCY: &str = "POL-PB";

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Whole.
    Whole,
    /// Its body in parts with pauses, never to its end.
    Slowly,
    /// Half of it, and then nothing more: the client has left, or says so.
    Half,
}

/// A request and what must come of it.
pub struct Case {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How they are sent.
    pub how: How,
    /// What must be answered.
    pub want: Want,
}

/// What requests are made with.
pub struct Ground {
    /// Key of the agency that sends them.
    pub key: String,
    /// An `Idempotency-Key` that was used already.
    pub spent: String,
}

/// How a class makes a request.
pub type Make = fn(&mut Dice, &Ground) -> Case;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");
const BATCH: (&str, &str) = ("content-type", "application/cloudevents-batch+json");
const CSV: (&str, &str) = ("content-type", "text/csv");

/// A mapping that the agency puts in place before.
pub const MAPPING: &str = "title = 't'\nevent = 'victim.identified'\nkey = 'nr'\nagency = { constant = 'POL-PB' }\ntime = { column = 'recorded', form = 'date' }\n[fields]\noccurred_on = { column = 'seen' }\nsex = { column = 'gender', values = { woman = 'F' } }\nage_band = { constant = '18-20' }\ncitizenship = { constant = 'PK' }\nstatus = { constant = 'actual' }\nexploitation = { constant = 'forced_labour', list = true }\nplace_identified = { constant = 'PK-PB' }\nreferral_source = { constant = 'police' }\n";

/// A text that must not be quoted, another each time.
pub fn marked(dice: &mut Dice) -> String {
    format!("{MARK}{:08x}", dice.next() as u32)
}

/// An event that would be good, of a number that nobody else sends.
pub fn good(dice: &mut Dice) -> String {
    event((1 << 40) + u64::from(dice.next() as u32) % 1_000_000_000, AGENCY)
}

/// A request to `/v1/events` with the agency's key.
pub fn post(ground: &Ground, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    request(&head("POST", "/v1/events", &ground.key, headers), body)
}

fn whole(bytes: Vec<u8>, want: Want) -> Case {
    Case { bytes, how: How::Whole, want }
}

fn sent(ground: &Ground, headers: &[(&str, &str)], body: &[u8], want: Want) -> Case {
    whole(post(ground, headers, body), want)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap_or_default()
}

fn rows(ground: &Ground, path: &str, file: &[u8], want: Want) -> Case {
    whole(request(&head("POST", path, &ground.key, &[CSV]), file), want)
}

const MAPPED: &str = "/v1/events?mapping=cases";
const HEADER: &str = "nr,recorded,seen,gender\n";

/// Name, how often beside the others, and how it is made.
pub const CLASSES: &[(&str, usize, Make)] = &[
    ("text that is no JSON", 4, |d, g| sent(g, &[NDJSON], marked(d).as_bytes(), Want::line(400, "parse", ""))),
    ("bytes of nothing", 4, |d, g| {
        let bytes = [b"\x01".to_vec(), d.bytes(200).iter().map(|byte| byte | 0x80).collect()].concat();
        sent(g, &[NDJSON], &bytes, Want::line(400, "parse", ""))
    }),
    ("cut short", 4, |d, g| {
        let text = good(d);
        let cut = 1 + d.below(text.len() - 2);
        sent(g, &[NDJSON], &text.as_bytes()[..cut], Want::line(400, "parse", ""))
    }),
    ("two documents in a line", 3, |d, g| {
        sent(g, &[NDJSON], (good(d) + &good(d)).as_bytes(), Want::line(400, "parse", ""))
    }),
    ("UTF-16", 3, |d, g| {
        let bytes: Vec<u8> = good(d).encode_utf16().flat_map(u16::to_le_bytes).collect();
        sent(g, &[("content-type", "application/json")], &bytes, Want::line(400, "parse", ""))
    }),
    ("no UTF-8 within a text", 3, |d, g| {
        let bytes = good(d).into_bytes().into_iter().map(|byte| if byte == b'F' { 0xff } else { byte });
        sent(g, &[NDJSON], &bytes.collect::<Vec<_>>(), Want::line(400, "parse", ""))
    }),
    ("nested without end", 1, |d, g| {
        let deep = d.one(&["[", "{\"a\":"]).repeat(1_000 + d.below(60_000));
        sent(g, &[NDJSON], deep.as_bytes(), Want::line(400, "parse", ""))
    }),
    ("another kind of JSON", 3, |d, g| {
        let (text, want) = *d.one(&[("null", 422), ("true", 422), ("17", 422), ("\"zq7secret\"", 422), ("[]", 422)]);
        sent(g, &[("content-type", "application/json")], text.as_bytes(), Want::line(want, "schema", ""))
    }),
    ("an empty object", 1, |_, g| sent(g, &[NDJSON], b"{}", Want::line(422, "schema", ""))),
    ("an event of more than a MiB", 1, |d, g| {
        let body = good(d).replace("forced_labour", &marked(d).repeat(70_000));
        sent(g, &[NDJSON], body.as_bytes(), Want::line(413, "oversize", ""))
    }),
    ("thousands of mistakes in an event", 1, |d, g| {
        let body = good(d).replace("[\"forced_labour\"]", &format!("[{}1]", "1,".repeat(20_000)));
        sent(g, &[NDJSON], body.as_bytes(), Want::line(422, "schema", "data.exploitation"))
    }),
    ("a type that the agency may not emit", 3, |d, g| {
        let body = format!(
            r#"{{"specversion":"1.0","id":"018f2f6e-8d0a-7c3e-9b1f-{:012x}","source":"urn:pk:tip:POL-PB","type":"pk.tip.contact.received","dataschema":"https://schemas.amanat.example/contact.received/v1","subject":"POL-PB/0q7vkzr3m9xw2t8h","time":"2026-03-10T14:00:00+05:00","data":{{"record_version":1,"occurred_on":"2026-03","kind":"help","place":"PK-PB","referral_made":"yes"}}}}"#,
            d.next() & 0xffff_ffff
        );
        sent(g, &[NDJSON], body.as_bytes(), Want::line(403, "type_not_permitted", "type"))
    }),
    ("nothing", 3, |d, g| {
        let body = *d.one(&["", "\n\n\n", "  \r\n \n"]);
        sent(g, &[NDJSON], body.as_bytes(), Want::request(400, "nothing_sent"))
    }),
    ("an empty batch", 1, |_, g| sent(g, &[BATCH], b"[]", Want::request(400, "nothing_sent"))),
    ("a batch that is none", 3, |d, g| {
        let one = good(d);
        let body = d
            .one(&[one.clone(), format!("[{one}"), format!("[{one}] []"), format!("[{one},]"), "[".repeat(50_000)])
            .clone();
        sent(g, &[BATCH], body.as_bytes(), Want::request(400, "malformed_body"))
    }),
    ("a batch of a million nothings", 1, |_, g| {
        sent(g, &[BATCH], format!("[{}0]", "0,".repeat(1_000_000)).as_bytes(), Want::request(413, "too_many_events"))
    }),
    ("more lines than may be", 1, |_, g| {
        sent(g, &[NDJSON], "{}\n".repeat(10_001).as_bytes(), Want::request(413, "too_many_events"))
    }),
    ("no key", 3, |d, _| {
        let headers = *d.one::<&[(&str, &str)]>(&[
            &[NDJSON],
            &[NDJSON, ("authorization", "Bearer")],
            &[NDJSON, ("authorization", "Bearer amanat_zq7secret")],
            &[NDJSON, ("authorization", "Basic enE3c2VjcmV0Og==")],
            &[NDJSON, ("authorization", "Bearer a"), ("authorization", "Bearer b")],
        ]);
        whole(request(&head("POST", "/v1/events", "", headers), good(d).as_bytes()), Want::request(401, "not_proven"))
    }),
    ("a media type that is not read", 3, |d, g| {
        let headers = *d.one::<&[(&str, &str)]>(&[
            &[],
            &[("content-type", "text/plain")],
            &[("content-type", "application/xml")],
            &[("content-type", "application/json; charset=utf-16")],
            &[("content-type", "application/json"), ("content-type", "text/csv")],
            &[("content-type", "application/json"), ("ce-specversion", "1.0")],
            &[("content-type", "multipart/form-data; boundary=zq7secret")],
        ]);
        sent(g, headers, good(d).as_bytes(), Want::request(415, "unsupported_media_type"))
    }),
    ("a coding that is not read", 3, |d, g| {
        let coding = *d.one(&["br", "deflate", "gzip, gzip", "zq7secret", "aws-chunked"]);
        sent(g, &[NDJSON, ("content-encoding", coding)], good(d).as_bytes(), Want::request(415, "unsupported_coding"))
    }),
    ("a body that is not in its coding", 3, |d, g| {
        let coding = *d.one(&["gzip", "zstd", "x-gzip"]);
        sent(g, &[NDJSON, ("content-encoding", coding)], good(d).as_bytes(), Want::request(400, "malformed_body"))
    }),
    ("gzip cut short", 3, |d, g| {
        let bytes = gzip(good(d).as_bytes());
        let cut = 1 + d.below(bytes.len() - 1);
        sent(g, &[NDJSON, ("content-encoding", "gzip")], &bytes[..cut], Want::request(400, "malformed_body"))
    }),
    ("gzip with another sum", 3, |d, g| {
        let mut bytes = gzip(good(d).as_bytes());
        let at = bytes.len() - 8 + d.below(8);
        bytes[at] ^= 0x55;
        sent(g, &[NDJSON, ("content-encoding", "gzip")], &bytes, Want::request(400, "malformed_body"))
    }),
    ("zstd cut short", 3, |d, g| {
        let bytes = zstd_of(good(d).as_bytes());
        let cut = 1 + d.below(bytes.len() - 1);
        sent(g, &[NDJSON, ("content-encoding", "zstd")], &bytes[..cut], Want::request(400, "malformed_body"))
    }),
    ("gzip within gzip", 2, |d, g| {
        let bytes = gzip(&gzip(good(d).as_bytes()));
        sent(g, &[NDJSON, ("content-encoding", "gzip")], &bytes, Want::line(400, "parse", ""))
    }),
    ("a bomb of gzip", 1, |d, g| {
        let bytes = gzip(&vec![*d.one(b"\n {"); 40 << 20]);
        sent(g, &[NDJSON, ("content-encoding", "gzip")], &bytes, Want::request(413, "body_too_large"))
    }),
    ("a bomb of zstd", 1, |d, g| {
        let bytes = zstd_of(&vec![*d.one(b"\n {"); 64 << 20]);
        sent(g, &[NDJSON, ("content-encoding", "zstd")], &bytes, Want::request(413, "body_too_large"))
    }),
    ("zstd with a window of 128 MiB", 1, |_, g| {
        let made = zstd::stream::Encoder::new(Vec::new(), 1).and_then(|mut encoder| {
            encoder.window_log(27)?;
            encoder.write_all(&vec![b'\n'; 1 << 20])?;
            encoder.finish()
        });
        let bytes = made.unwrap_or_default();
        sent(g, &[NDJSON, ("content-encoding", "zstd")], &bytes, Want::request(400, "malformed_body"))
    }),
    ("a length beyond the limit", 2, |_, g| {
        let head = head("POST", "/v1/events", &g.key, &[NDJSON, ("content-length", "99999999999")]);
        whole((head + "\r\n").into_bytes(), Want::request(413, "body_too_large"))
    }),
    ("chunks beyond the limit", 1, |_, g| {
        let head = head("POST", "/v1/events", &g.key, &[NDJSON, ("transfer-encoding", "chunked")]) + "\r\n";
        let chunk = [b"100000\r\n".to_vec(), vec![b'\n'; 1 << 20], b"\r\n".to_vec()].concat();
        whole([head.into_bytes(), chunk.repeat(9)].concat(), Want::request(413, "body_too_large"))
    }),
    ("chunks that are none", 2, |_, g| {
        let head = head("POST", "/v1/events", &g.key, &[NDJSON, ("transfer-encoding", "chunked")]) + "\r\n";
        whole((head + "zq7secret\r\n{}\r\n0\r\n\r\n").into_bytes(), Want::request(400, "malformed_body"))
    }),
    ("shorter than its length", 2, |d, g| {
        let bytes = post(g, &[NDJSON], good(d).as_bytes());
        Case { bytes, how: How::Half, want: Want::request(400, "malformed_body") }
    }),
    ("slower than a body may be", 1, |d, g| {
        let bytes = post(g, &[NDJSON], good(d).as_bytes());
        Case { bytes, how: How::Slowly, want: Want::request(408, "request_timeout") }
    }),
    ("headers beyond the limit", 2, |d, g| {
        let long = marked(d).repeat(12_000);
        sent(g, &[NDJSON, ("x-long", &long)], good(d).as_bytes(), Want::request(431, ""))
    }),
    ("more headers than may be", 2, |d, g| {
        let headers = vec![("x-many", "zq7secret"); 200];
        sent(g, &headers, good(d).as_bytes(), Want::request(431, ""))
    }),
    ("a head that is none", 2, |d, _| {
        let head = *d.one(&[
            "zq7secret\r\n\r\n",
            "GET / HTTP/7.1\r\n\r\n",
            "\u{0}\u{1}\r\n\r\n",
            "POST /v1/events HTTP/1.1\r\nno colon\r\n\r\n",
        ]);
        whole(head.as_bytes().to_vec(), Want::request(400, ""))
    }),
    ("two lengths", 2, |d, g| {
        let head = head("POST", "/v1/events", &g.key, &[NDJSON, ("content-length", "5"), ("content-length", "6")]);
        whole((head + "\r\n" + &good(d)).into_bytes(), Want::request(400, ""))
    }),
    ("an Idempotency-Key that is none", 3, |d, g| {
        let long = "x".repeat(256);
        let keys = ["", "\"\"", "zq7 secret", &*long, "zq7secret\u{e9}"];
        let key = *d.one(&keys);
        sent(g, &[NDJSON, ("idempotency-key", key)], good(d).as_bytes(), Want::request(400, "malformed_key"))
    }),
    ("two Idempotency-Keys", 1, |d, g| {
        let headers = [NDJSON, ("idempotency-key", "zq7secret"), ("idempotency-key", "b")];
        sent(g, &headers, good(d).as_bytes(), Want::request(400, "malformed_key"))
    }),
    ("an Idempotency-Key with another body", 4, |d, g| {
        sent(g, &[NDJSON, ("idempotency-key", &g.spent)], good(d).as_bytes(), Want::request(422, "key_reused"))
    }),
    ("a method that is none here", 2, |d, g| {
        let method = *d.one(&["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]);
        whole(request(&head(method, "/v1/events", &g.key, &[NDJSON]), b""), Want::request(405, "method_not_allowed"))
    }),
    ("an address that is none", 2, |d, g| {
        let path = *d.one(&[
            "/v1/zq7secret",
            "/v1/events/",
            "/v1/../v1/x",
            "/v1/%00",
            "/v1/receipts/zq7secret",
            "/v1/receipts/00000000000000000000000000000000",
        ]);
        whole(request(&head("GET", path, &g.key, &[]), b""), Want::request(404, "not_found"))
    }),
    ("rows without a mapping", 2, |d, g| {
        let path =
            *d.one(&["/v1/events", "/v1/events?mapping=zq7secret", "/v1/events?mapping=%00", "/v1/events?mapping="]);
        rows(g, path, HEADER.as_bytes(), Want::request(422, "unknown_mapping"))
    }),
    ("columns that are not the mapping's", 4, |d, g| {
        let header = *d.one(&[
            "nr,recorded,seen\n",
            "nr,recorded,seen,gender,zq7secret\n",
            "nr,nr,recorded,seen,gender\n",
            "zq7secret,1,2,3\n",
            "nr;recorded;seen;gender\n",
            "",
        ]);
        rows(
            g,
            MAPPED,
            format!("{header}1,2026-03-10,2026-03-09,woman\n").as_bytes(),
            Want::request(422, "mapping_not_usable"),
        )
    }),
    ("a cell that is no code", 3, |d, g| {
        let file = format!("{HEADER}1,2026-03-10,2026-03-09,{}\n", marked(d));
        rows(g, MAPPED, file.as_bytes(), Want::line(422, "schema", "data.sex"))
    }),
    ("a row that is wrong", 4, |d, g| {
        let row = *d.one(&[
            "1,2026-03-10\n",
            "1,zq7secret,2026-03-09,woman\n",
            "1,2199-03-10,2026-03-09,woman\n",
            ",2026-03-10,2026-03-09,woman\n",
            "1,2026-03-10,2026-03-09,woman,zq7secret\n",
        ]);
        rows(g, MAPPED, format!("{HEADER}{row}").as_bytes(), Want::line(422, "row", ""))
    }),
    ("rows that are no UTF-8", 2, |_, g| {
        let file = [HEADER.as_bytes(), b"1,2026-03-10,2026-03-09,\xff\xfe\n"].concat();
        rows(g, MAPPED, &file, Want::line(422, "row", ""))
    }),
    ("a header of rows without rows", 1, |_, g| rows(g, MAPPED, HEADER.as_bytes(), Want::request(400, "nothing_sent"))),
    ("a mapping that is none", 2, |d, g| {
        let text = *d.one(&["title = 1", "= zq7secret", "[[[", "\u{0}"]);
        whole(
            request(&head("PUT", "/v1/mappings/other", &g.key, &[]), text.as_bytes()),
            Want::request(422, "mapping_not_usable"),
        )
    }),
    ("a mapping of another agency", 1, |_, g| {
        let text = MAPPING.replace(AGENCY, "FIA");
        whole(
            request(&head("PUT", "/v1/mappings/other", &g.key, &[]), text.as_bytes()),
            Want::request(403, "agency_mismatch"),
        )
    }),
    ("a mapping without end", 1, |_, g| {
        whole(
            request(&head("PUT", "/v1/mappings/other", &g.key, &[]), "#".repeat(70_000).as_bytes()),
            Want::request(413, "body_too_large"),
        )
    }),
];
