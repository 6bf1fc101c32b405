//! From the Markdown of `docs/` to HTML: links between files become links between pages, and headings can be linked to.

use std::collections::BTreeMap;

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html as write};

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES
}

/// The file in the project of a page.
pub(super) fn file_of(name: &str) -> String {
    if name == "readme" { "README.md".to_owned() } else { format!("docs/{name}.md") }
}

/// The page of a file in the project; None where it is not among the known ones.
fn page_of<'k>(file: &str, known: &[&'k str]) -> Option<&'k str> {
    known.iter().find(|name| file_of(name) == file).copied()
}

/// The targets of all links.
#[cfg(test)]
pub(super) fn links(markdown: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    Parser::new_ext(markdown, options()).filter_map(target).collect()
}

/// A text for HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A line of Markdown without its marks.
pub(super) fn plain(line: &str) -> String {
    let text = |event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.to_string()),
        _ => None,
    };
    Parser::new_ext(line, options()).filter_map(text).collect()
}

/// The name of a heading in addresses, as code hosts make it: small letters, spaces to hyphens, no other signs.
fn slug(heading: &str) -> String {
    let letter = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        other if other.is_alphanumeric() => other.to_lowercase().next(),
        _ => None,
    };
    heading.chars().filter_map(letter).collect()
}

/// The HTML of a page.
pub(super) fn html(markdown: &str, name: &str, known: &[&str]) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options()).collect();
    name_headings(&mut events);
    let file = file_of(name);
    let mut dead = 0_usize;
    for event in &mut events {
        match event {
            Event::Start(Tag::Link { dest_url, link_type, .. }) if *link_type != LinkType::Email => {
                if let Some(to) = led(dest_url, &file, known) {
                    *dest_url = CowStr::from(to);
                } else {
                    // It is in the project and not carried: named, not linked.
                    dead += 1;
                    *event = Event::InlineHtml("<span class=\"elsewhere\">".into());
                }
            }
            Event::End(TagEnd::Link) if dead > 0 => {
                dead -= 1;
                *event = Event::InlineHtml("</span>".into());
            }
            // Papers say their direction to code hosts; here the page says it. Nothing else of HTML passes.
            Event::Html(_) | Event::InlineHtml(_) => *event = Event::Text("".into()),
            _ => {}
        }
    }
    let mut out = String::new();
    write::push_html(&mut out, events.into_iter());
    // A wide table or a long line is moved by itself, with the keyboard as well.
    out.replace("<pre>", "<pre tabindex=\"0\">")
        .replace("<table>", "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>")
        .replace("</table>", "</table></div>")
}

/// Gives each heading the name by which it is linked to; one that stands twice gets a number.
fn name_headings(events: &mut [Event<'_>]) {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let within = events[at..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let text: String = within
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let slug = slug(&text);
        let times = taken.entry(slug.clone()).or_default();
        let name = if *times == 0 { slug } else { format!("{slug}-{times}") };
        *times += 1;
        if let Event::Start(Tag::Heading { id, level, .. }) = &mut events[at]
            && *level != HeadingLevel::H1
        {
            *id = Some(CowStr::from(name));
        }
    }
}

/// Where a link of a file leads among the pages; None where nothing is carried under it.
fn led(target: &str, file: &str, known: &[&str]) -> Option<String> {
    if target.starts_with('#') || target.starts_with('/') || target.contains("://") || target.starts_with("mailto:") {
        return Some(target.to_owned());
    }
    let (path, anchor) =
        target.split_once('#').map_or((target, String::new()), |(path, anchor)| (path, format!("#{anchor}")));
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let page =
        page_of(&parts.join("/"), known).or_else(|| page_of(&format!("{}/README.md", parts.join("/")), known))?;
    Some(format!("/docs/{page}{anchor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["readme", "guides/ask", "guides/README"];

    #[test]
    fn links_between_files_lead_between_pages_and_the_rest_is_named() {
        let html = html(
            "[a](ask.md#a-b) [b](../../README.md) [c](../../schemas/README.md) [d](https://w3.org) [e](.)",
            "guides/connect",
            &KNOWN,
        );
        assert!(html.contains("<a href=\"/docs/guides/ask#a-b\">a</a>"), "{html}");
        assert!(html.contains("<a href=\"/docs/readme\">b</a>"), "{html}");
        assert!(html.contains("<span class=\"elsewhere\">c</span>"), "{html}");
        assert!(html.contains("<a href=\"https://w3.org\">d</a>"), "{html}");
        assert!(html.contains("<a href=\"/docs/guides/README\">e</a>"), "{html}");
    }

    #[test]
    fn headings_are_named_as_they_are_linked_to_and_no_markup_passes() {
        let html =
            html("# T\n## Let `this` in, twice!\n## Let this in twice\n<script>alert(1)</script>\n", "readme", &KNOWN);
        assert!(
            html.contains("<h2 id=\"let-this-in-twice\">") && html.contains("<h2 id=\"let-this-in-twice-1\">"),
            "{html}"
        );
        assert!(!html.contains("<script>"), "{html}");
    }
}
