//! The kit as a page to print: one HTML file that needs nothing else, with its lines as QR codes.

use qrcode::{EcLevel, QrCode, render::svg, types::QrError};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Kit, KitError, Manual};

/// A code of so many bytes prints at two thirds of a millimetre a dot, which a telephone reads.
const CODE_BYTES: usize = 900;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// A value cannot stand in a line.
    #[error("the kit cannot be written")]
    Kit(#[source] KitError),
    /// Too much for a code.
    #[error("a line is too long for a QR code")]
    Code(#[source] QrError),
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>backupd recovery kit</title>
<style>
@page { size: A4; margin: 15mm }
body { font: 10pt/1.4 sans-serif; color: #000; background: #fff; max-width: 180mm; margin: 0 auto }
h1 { font-size: 16pt; margin: 0 0 2mm }
h2 { font-size: 12pt; margin: 6mm 0 2mm }
pre { font: 8.5pt/1.5 monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 }
pre.lines { border: 0.3mm solid #000; padding: 3mm }
pre.lines span { display: block; padding-left: 3em; text-indent: -3em }
figure { display: inline-block; margin: 3mm 6mm 0 0; break-inside: avoid; text-align: center }
svg { width: 75mm; height: 75mm }
td { border-bottom: 0.3mm solid #000; width: 60mm; height: 9mm; vertical-align: bottom }
</style>
</head>
<body>
"#;

impl Kit {
    /// The page. Its codes hold the lines of the kit, secret ones too, in their order.
    pub fn to_page(&self, manual: Manual<'_>) -> Result<SecretString, PageError> {
        let lines = self.lines().map_err(PageError::Kit)?;
        let lines = lines.expose_secret();
        let parts = parts(lines);
        let codes: Vec<_> = parts.iter().map(|part| code(part)).collect();
        let codes: Vec<_> = codes.into_iter().collect::<Result<_, _>>()?;
        let room = codes.iter().map(|code| code.len() + 128).sum::<usize>() + 8 * lines.len();
        let mut page = Zeroizing::new(String::with_capacity(room + 16 * 1024));
        page.push_str(HEAD);
        page.push_str("<h1>backupd recovery kit</h1>\n<pre>");
        escape(&mut page, &self.instructions(manual));
        page.push_str("</pre>\n<h2>The kit</h2>\n<pre class=\"lines\">");
        for line in lines.lines() {
            page.push_str("<span>");
            escape(&mut page, line);
            page.push_str("</span>");
        }
        page.push_str("</pre>\n");
        for (at, code) in codes.iter().enumerate() {
            page.push_str("<figure>");
            page.push_str(code);
            let of = codes.len();
            page.push_str(&format!(
                "<figcaption>{} of {of}</figcaption></figure>\n",
                at + 1
            ));
        }
        page.push_str(
            "<p>The codes hold the lines above as text. Scan them in order into one file: it is the \
             kit. The script of step 3 is in the kit's file, and backupctl recovery-script writes \
             it.</p>\n<h2>Proved to work</h2>\n<table><tr><td>on</td><td>by</td></tr>\
             <tr><td>on</td><td>by</td></tr></table>\n</body>\n</html>\n",
        );
        Ok(SecretString::from(page.as_str()))
    }

    /// What may be shown on a screen, as a picture: its public part only.
    pub fn public_code(&self) -> Result<String, PageError> {
        code(&self.public_text()).map(|code| code.as_str().to_owned())
    }
}

/// The text in pieces of whole lines that each fit into a code.
fn parts(lines: &str) -> Vec<&str> {
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for line in lines.split_inclusive('\n') {
        if end > start && end - start + line.len() > CODE_BYTES {
            parts.push(&lines[start..end]);
            start = end;
        }
        end += line.len();
    }
    parts.push(&lines[start..]);
    parts
}

/// A QR code as SVG, to stand in a page.
fn code(text: &str) -> Result<Zeroizing<String>, PageError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(PageError::Code)?;
    let mut render = code.render::<svg::Color<'_>>();
    let image = Zeroizing::new(render.module_dimensions(4, 4).build());
    let svg = image.find("<svg").and_then(|at| image.get(at..));
    Ok(Zeroizing::new(svg.unwrap_or(&image).to_owned()))
}

fn escape(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '&' => page.push_str("&amp;"),
            c => page.push(c),
        }
    }
}
