use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::Secrets;
use crate::{Error, GraphRefusal, Usage};

/// Meta's answer to a call that succeeded: valid JSON, parsed when asked for.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// The body as it came.
    pub body: Bytes,
    pub usage: Usage,
    /// `facebook-api-version`: the version that answered.
    pub version: Option<String>,
    /// `X-Ad-Api-Version-Warning`: the call was moved to a newer version, since the one asked for has ended.
    pub version_warning: Option<String>,
    /// Names the call at Meta's support.
    pub trace_id: Option<String>,
}

impl Answer {
    /// The body as a JSON value.
    pub fn json(&self) -> Result<Value, Error> {
        self.parse()
    }

    /// The body as a `T`. A mismatch names the place in the body, never what stands there.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| Error::Unreadable {
            status: self.status,
            reason: format!(
                "at '{}' (line {}, column {}) it is not what was expected",
                error.path(),
                error.inner().line(),
                error.inner().column()
            ),
            trace_id: self.trace_id.clone(),
        })
    }

    /// Tells an answer from a refusal. The one place where that is decided, for single calls and batch items alike.
    pub(crate) fn judge(
        status: u16,
        headers: &HeaderMap,
        body: Bytes,
        secrets: &Secrets<'_>,
    ) -> Result<Self, Error> {
        let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
        let usage = Usage::from_headers(headers);
        let trace_id = header("x-fb-trace-id").or_else(|| header("x-fb-request-id"));
        let good = (200..300).contains(&status);

        let verdict = serde_json::from_slice::<Verdict>(&body);
        if let (true, Ok(Verdict::Good)) = (good, &verdict) {
            let version_warning = header(VERSION_WARNING).map(|text| {
                // Meta's own sample repeats the header's name in its value.
                let repeated = text
                    .get(..VERSION_WARNING.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(VERSION_WARNING));
                if repeated {
                    text[VERSION_WARNING.len()..].trim_start_matches([':', ' ']).to_owned()
                } else {
                    text
                }
            });
            let version = header("facebook-api-version");
            return Ok(Self { status, body, usage, version, version_warning, trace_id });
        }

        let refusal = serde_json::from_slice::<Value>(&body).ok().and_then(|mut json| {
            secrets.redact_value(&mut json);
            GraphRefusal::read(status, json, usage)
        });
        if let Some(mut refusal) = refusal {
            refusal.fbtrace_id = refusal.fbtrace_id.or(trace_id);
            return Err(Error::Refused(Box::new(refusal)));
        }
        let reason = if good {
            // No excerpt: a broken answer of the token endpoint would show its token.
            "it is not JSON".to_owned()
        } else {
            let mut text = String::from_utf8_lossy(&body[..body.len().min(SEARCHED)]).into_owned();
            secrets.redact(&mut text);
            let words: Vec<&str> = text.split_whitespace().collect();
            let start: String = words.join(" ").chars().take(EXCERPT).collect();
            format!("it holds no error of the Graph API, but: {start}")
        };
        Err(Error::Unreadable { status, reason, trace_id })
    }
}

const VERSION_WARNING: &str = "x-ad-api-version-warning";
/// Characters of a foreign error page that are worth showing.
const EXCERPT: usize = 160;
/// Bytes of such a page in which secrets are replaced before it is cut; far more than a token is long.
const SEARCHED: usize = 64 * 1024;

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .field("version", &self.version)
            .field("version_warning", &self.version_warning)
            .field("trace_id", &self.trace_id)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

/// What a body says of itself at its top level; read in one pass that keeps nothing.
enum Verdict {
    Good,
    /// An `error` member, `success: false`, or a bare `false`.
    Bad,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Mark {
    Error,
    Success,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Judge)
    }
}

struct Judge;

impl<'de> Visitor<'de> for Judge {
    type Value = Verdict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Verdict, A::Error> {
        let mut verdict = Verdict::Good;
        while let Some(mark) = map.next_key()? {
            let bad = match mark {
                Mark::Error => matches!(map.next_value()?, Value::Object(_) | Value::String(_)),
                Mark::Success => map.next_value::<Value>()? == Value::Bool(false),
                Mark::Other => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if bad {
                verdict = Verdict::Bad;
            }
        }
        Ok(verdict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Verdict, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Verdict::Good)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Verdict, E> {
        Ok(if value { Verdict::Good } else { Verdict::Bad })
    }

    fn visit_unit<E>(self) -> Result<Verdict, E> {
        Ok(Verdict::Good)
    }

    fn visit_str<E>(self, _: &str) -> Result<Verdict, E> {
        Ok(Verdict::Good)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Verdict, E> {
        Ok(Verdict::Good)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Verdict, E> {
        Ok(Verdict::Good)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Verdict, E> {
        Ok(Verdict::Good)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn judge(status: u16, body: &str, headers: &[(&'static str, &'static str)]) -> Result<Answer, Error> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Answer::judge(
            status,
            &headers.collect(),
            Bytes::copy_from_slice(body.as_bytes()),
            &Secrets::default(),
        )
    }

    #[test]
    fn the_answering_version_and_its_warning_are_told() {
        let warning = "The call has been auto-upgraded to v25.0 as v23.0 has been deprecated";
        let answer = judge(200, "{}", &[
            ("facebook-api-version", "v25.0"),
            ("x-fb-trace-id", "T1"),
            ("x-ad-api-version-warning", "X-Ad-Api-Version-Warning: The call has been auto-upgraded to v25.0 as v23.0 has been deprecated"),
        ])
        .unwrap();
        assert_eq!((answer.version.as_deref(), answer.trace_id.as_deref()), (Some("v25.0"), Some("T1")));
        assert_eq!(answer.version_warning.as_deref(), Some(warning));
        let plain = judge(200, "{}", &[("x-ad-api-version-warning", "short")]).unwrap();
        assert_eq!(plain.version_warning.as_deref(), Some("short"));
    }

    #[test]
    fn a_good_status_is_not_enough() {
        for body in [r#"{"success":false}"#, "false", r#"{"data":[],"error":{"message":"m","code":1}}"#] {
            let error = judge(200, body, &[]).unwrap_err();
            assert_eq!(error.refusal().unwrap().status, 200, "{body}");
        }
        for body in ["", "<html>", "{\"id\":", "{} {}", "access_token=x"] {
            let error = judge(200, body, &[]).unwrap_err();
            assert!(matches!(error, Error::Unreadable { status: 200, .. }), "{body}");
        }
        // A report that failed carries its own error members, and the read of it is good all the same.
        for body in [
            r#"{"success":true}"#,
            r#"{"error_code":3,"async_status":"Job Failed"}"#,
            "true",
            "[]",
            "null",
            "7",
            r#""x""#,
            "1.5",
            "-1",
            r#"{"error":null}"#,
        ] {
            judge(200, body, &[]).unwrap_or_else(|error| panic!("{body}: {error}"));
        }
    }

    #[test]
    fn an_error_status_without_metas_error_shows_how_it_begins() {
        let error = judge(502, "<html>\n  <b>Bad   Gateway</b>", &[("x-fb-request-id", "R1")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Graph API's answer (HTTP 502) cannot be read: it holds no error of the Graph API, but: <html> <b>Bad Gateway</b> (trace R1)"
        );
    }

    #[test]
    fn a_trace_comes_from_the_header_when_the_error_has_none() {
        let error = judge(400, r#"{"error":{"message":"m"}}"#, &[("x-fb-request-id", "R1")]).unwrap_err();
        assert_eq!(error.refusal().unwrap().fbtrace_id.as_deref(), Some("R1"));
    }

    #[test]
    fn a_mismatch_names_the_place() {
        #[derive(Debug, Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "only its type matters")]
            id: u32,
        }
        let answer = judge(200, &json!([{"id": 1}, {"id": "EAABsecret"}]).to_string(), &[]).unwrap();
        let text = answer.parse::<Vec<Row>>().unwrap_err().to_string();
        assert!(text.contains("[1].id") && !text.contains("EAABsecret"), "{text}");
    }
}
