//! Saved questions by their addresses: what each asks, and its answer, in a form that a dashboard can poll.
//!
//! A question is asked with the rights of whoever asks for its answer, never with those of whoever saved it. What the public may ask
//! is made once for an edition and shared; what only a reader may ask is made for that reader, and charged.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use policy::Role;
use query::saved::{Audience, Parameter, Saved, Schedule, is_name, parameter_line, text_of};
use query::{CellQuery, Code, EditionMeta, Note, Param, Question, Refusal};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::Door;
use crate::bodies::{EDITION, Freshness, ROWS, Shared, Whole, aside};
use crate::gate::Decided;
use crate::indicators::Text;
use crate::negotiate::{self, Format};
use crate::problem::{Kind, Problem};
use crate::questions::{Entry, NotKept};
use crate::request::{Pairs, Segment, json};
use crate::session::unkept;
use crate::sql;
use crate::visitor::{HTTP, Visitor};

/// Path of the answers; a question in SQL has a limit of its own.
pub(crate) const DATA: &str = "/v1/questions/{name}/data";

/// A saved question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedQuestion)]
pub(crate) struct View {
    /// Stable name.
    name: String,
    title: Text,
    description: Text,
    parameters: Vec<ParameterView>,
    /// `edition`: the answer is made as soon as there is an edition; `asked`: when somebody asks.
    schedule: &'static str,
    /// Who sees the question: `public` or `readers`.
    audience: &'static str,
    /// The account that saved it; null where the service brings it along.
    owner: Option<String>,
    /// Whether it asks protected tables: its answer needs a key or login, and is charged to whoever asks. Null where the question
    /// is refused as it stands.
    about_records: Option<bool>,
    /// The question, with `$1`, `$2`, … for its parameters in their order.
    sql: String,
    links: Links,
}

/// A parameter of a saved question: a query parameter of its address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SavedParameter)]
pub(crate) struct ParameterView {
    #[schema(example = "from_year")]
    name: String,
    /// text, integer, number or boolean.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "integer")]
    kind: String,
    /// The code list that its values are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_list: Option<String>,
    /// Its value where none is given.
    #[schema(example = "2016")]
    default: String,
    #[serde(default)]
    description: String,
}

/// Where a saved question is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedLinks)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    #[schema(rename = "self")]
    this: String,
    data: String,
    csv: String,
    page: String,
}

/// A question to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionToSave)]
pub(crate) struct ToSave {
    /// What it asks, in a line of English.
    #[schema(example = "Victims identified in a year", min_length = 1)]
    title: String,
    /// The same in Urdu.
    #[serde(default)]
    title_ur: String,
    /// What should be known of it.
    #[serde(default)]
    description: String,
    #[serde(default)]
    description_ur: String,
    /// `$1`, `$2`, … in order; each has a default.
    #[serde(default)]
    parameters: Vec<ParameterView>,
    /// edition or asked; asked if absent.
    #[schema(value_type = Option<String>, example = "edition")]
    schedule: Option<String>,
    /// public or readers; readers if absent. A steward makes a question public.
    #[schema(value_type = Option<String>, example = "readers")]
    audience: Option<String>,
    #[schema(example = "select time_period, value from published.v01 where province = '_T'", min_length = 1)]
    sql: String,
}

impl View {
    fn new(saved: &Saved, about_records: Option<bool>) -> Self {
        let Saved { name, title, description, parameters, schedule, audience, owner, sql } = saved.clone();
        let this = format!("/v1/questions/{name}");
        let links = Links {
            data: format!("{this}/data"),
            csv: format!("{this}/data?format=csv"),
            page: format!("/questions/{name}"),
            this,
        };
        Self {
            name,
            title: (&title).into(),
            description: (&description).into(),
            parameters: parameters.into_iter().map(ParameterView::from).collect(),
            schedule: schedule.name(),
            audience: audience.name(),
            owner,
            about_records,
            sql,
            links,
        }
    }

    /// What there is to say of a question, which is planned if it was not yet.
    async fn of(door: &Door, entry: &Arc<Entry>) -> Self {
        let is_published = match entry.saved.values(&[], door.reader.catalogue()) {
            Ok(params) => is_published(door, entry, params).await.ok(),
            Err(_) => None,
        };
        Self::new(&entry.saved, is_published.map(|is| !is))
    }
}

impl From<Parameter> for ParameterView {
    fn from(Parameter { name, kind, code_list, default, description }: Parameter) -> Self {
        Self { name, kind: kind.name().to_owned(), code_list, default, description }
    }
}

impl ToSave {
    /// As the text of a file has it, so that there is one reader of saved questions and one set of its sentences.
    fn text(&self) -> Result<String, String> {
        let mut head = vec![("title", self.title.clone()), ("title.ur", self.title_ur.clone())];
        head.extend([("description", self.description.clone()), ("description.ur", self.description_ur.clone())]);
        for ParameterView { name, kind, code_list, default, description } in &self.parameters {
            if [name, kind, default].into_iter().chain(code_list).any(|part| part.contains([';', '=', '\n'])) {
                return Err("a parameter's name, type, list and default are without ; = and line ends".to_owned());
            }
            head.push(("parameter", parameter_line(name, kind, code_list.as_deref(), (default, description))));
        }
        head.extend(self.schedule.clone().map(|schedule| ("schedule", schedule)));
        head.extend(self.audience.clone().map(|audience| ("audience", audience)));
        Ok(text_of(&head, &self.sql))
    }
}

/// The saved questions that the visitor sees, by name.
#[utoipa::path(get, path = "/v1/questions", operation_id = "saved_questions", tag = "questions",
    responses((status = 200, description = "Saved questions", body = Vec<View>)))]
pub(crate) async fn list(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    let mut seen = Vec::new();
    for entry in door.settings.questions.all().iter().filter(|entry| sees(&visitor, entry)) {
        seen.push(View::of(&door, entry).await);
    }
    private(seen)
}

/// What a saved question asks.
#[utoipa::path(get, path = "/v1/questions/{name}", operation_id = "saved_question", tag = "questions",
    params(("name" = String, Path, description = "Name of the question", example = "victims-by-year")),
    responses((status = 200, description = "The question", body = View)))]
pub(crate) async fn one(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    let entry = found(&door, &visitor, &name)?;
    Ok(private(View::of(&door, &entry).await))
}

/// The answer of a saved question, as of the latest edition.
///
/// Query parameters of the question's own names set its parameters. Over published tables alone the answer is the same for everybody,
/// and is asked for like an indicator; over protected tables a key or login is needed, and the answer is asked with its rights.
#[utoipa::path(get, path = "/v1/questions/{name}/data", operation_id = "saved_question_data", tag = "questions",
    params(
        ("name" = String, Path, description = "Name of the question", example = "victims-by-year"),
        ("format" = Option<String>, Query, description = "json, csv, arrow or parquet; goes before Accept"),
        ("bom" = Option<bool>, Query, description = "With CSV: begins with a byte order mark, for spreadsheets"),
        ("companions" = Option<bool>, Query, description = "Every protected number with its interval, status and bias")),
    responses(
        (status = 200, description = "The whole answer",
            content((sql::Head = "application/json"), (String = "text/csv"),
                (Vec<u8> = "application/vnd.apache.arrow.stream"), (Vec<u8> = "application/vnd.apache.parquet")),
            headers(("ETag" = String, description = "Changes with the edition"),
                ("Amanat-Rows" = u64, description = "Number of rows"),
                ("Amanat-Edition" = u32, description = "Number of the edition"))),
        (status = 304, description = "Nothing new")))]
pub(crate) async fn data(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    Segment(name): Segment,
    mut pairs: Pairs,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let entry = found(&door, &visitor, &name)?;
    let named = pairs.take("format");
    let format = negotiate::format(&asked, named.as_deref(), &sql::FORMATS)?;
    let bom = crate::data::with_bom(pairs.take("bom").as_deref(), format)?;
    let companions = sql::companions(pairs.take("companions"))?.unwrap_or(false);
    let given: Vec<(&str, &str)> = pairs.rest().collect();
    let params = entry.saved.values(&given, door.reader.catalogue()).map_err(|what| {
        Problem::new(Kind::MalformedParameter, what, format!("GET /v1/questions/{name} lists its parameters."))
    })?;
    let wanted = Wanted { entry, params, format, bom, companions };
    if is_published(&door, &wanted.entry, wanted.params.clone()).await? {
        wanted.shared(&door, &visitor, &asked).await
    } else {
        wanted.own(&door, visitor, &asked).await
    }
}

/// What of a request decides its answer.
#[derive(Clone)]
struct Wanted {
    entry: Arc<Entry>,
    params: Vec<Param>,
    format: Format,
    bom: bool,
    companions: bool,
}

impl Wanted {
    fn question(&self) -> Question {
        let (params, companions) = (self.params.clone(), self.companions);
        Question { params, companions, ..Question::new(self.entry.saved.sql.clone()) }
    }

    /// The same for all requests with the same values.
    fn key(&self) -> String {
        let params = serde_json::to_string(&self.params).unwrap_or_default();
        let (name, hash) = (&self.entry.saved.name, &self.entry.hash);
        format!("/v1/questions/{name}/{hash}/{}/{}/{params}", self.bom, self.companions)
    }

    /// The answer that everybody gets, made once.
    async fn shared(self, door: &Arc<Door>, visitor: &Visitor, asked: &HeaderMap) -> Result<Response, Problem> {
        loop {
            let edition = door.reader.current().latest().cloned();
            let mut shared = Shared::of(edition.as_ref(), &self.key(), self.format, Freshness::Minute);
            shared.worth_coding = self.format != Format::Parquet;
            let number = edition.as_ref().map(|edition| edition.edition);
            let make = async {
                let question = Question { peer: visitor.peer, ..self.question() };
                let answer = door.reader.ask(question, CancellationToken::new()).await?;
                // What is kept under the name of an edition is of that edition.
                if answer.edition != number {
                    return Err(Problem::internal());
                }
                let wanted = self.clone();
                aside(move || wanted.written(answer)).await
            };
            let mut answered = door.bodies.answer_with(asked, shared, make).await;
            // A cache on the way must not hand on what only readers see.
            if let Ok(response) = &mut answered
                && self.entry.saved.audience == Audience::Readers
            {
                let headers = response.headers_mut();
                headers.insert(header::CACHE_CONTROL, PRIVATE);
                headers.insert(header::VARY, HeaderValue::from_static(VARY));
            }
            if answered.is_ok() || door.reader.current().latest() == edition.as_ref() {
                return answered;
            }
        }
    }

    /// The answer that this visitor gets, with its own rights and charges.
    async fn own(self, door: &Arc<Door>, visitor: Visitor, asked: &HeaderMap) -> Result<Response, Problem> {
        let question = Question { asker: visitor.asker, peer: visitor.peer, ..self.question() };
        let edition = door.reader.current().latest().cloned();
        let mut headers = self.tagged(edition.as_ref())?;
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        // A tag is no secret: whether the visitor may ask is found out first. Who may not is refused, and recorded, below.
        let may = question.asker.is_some() && door.reader.compile(question.clone()).await.is_ok();
        if may && negotiate::is_current(asked, tag, None) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let answer = door.reader.ask(question, CancellationToken::new()).await?;
        if answer.edition != edition.map(|edition| edition.edition) {
            headers.remove(header::ETAG);
        }
        if let Some(edition) = answer.edition {
            headers.insert(EDITION, HeaderValue::from(edition));
        }
        let format = self.format;
        let Whole { bytes, rows, headers: more } = aside(move || self.written(answer)).await?;
        headers.extend(more);
        headers.extend(rows.map(|rows| (ROWS, HeaderValue::from(rows))));
        headers.insert(header::CONTENT_TYPE, format.content_type());
        Ok((headers, bytes).into_response())
    }

    /// The tag of what follows from the edition, the question and its values: the vault gives the same numbers to the same question.
    fn tagged(&self, edition: Option<&EditionMeta>) -> Result<HeaderMap, Problem> {
        let published = edition.map(|edition| (edition.edition, edition.published_at.clone()));
        let said = format!("{published:?} {} {}", self.format.name(), self.key());
        let tag = format!("\"{}\"", &blake3::hash(said.as_bytes()).to_hex()[..32]);
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?);
        headers.insert(header::CACHE_CONTROL, PRIVATE);
        headers.insert(header::VARY, HeaderValue::from_static(VARY));
        Ok(headers)
    }

    fn written(self, answer: query::Answer) -> Result<Whole, Problem> {
        let rows = Some(answer.row_count());
        let headers = sql::notes(&answer).map(|notes| (sql::NOTES, notes)).into_iter().collect();
        let bytes = sql::written(answer, self.format, self.bom)?;
        Ok(Whole { bytes, rows, headers })
    }
}

/// Whether a question asks published tables alone. Planned once, as the public asks it.
async fn is_published(door: &Door, entry: &Entry, params: Vec<Param>) -> Result<bool, Problem> {
    if let Some(known) = entry.is_published.get() {
        return Ok(*known);
    }
    let question = Question { params, ..Question::new(entry.saved.sql.clone()) };
    let is_published = is_of_the_public(door.reader.compile(question).await)?;
    Ok(*entry.is_published.get_or_init(|| is_published))
}

/// Whether what was planned asks published tables alone, and the public may; other refusals are of the question itself.
fn is_of_the_public(planned: Result<(Vec<CellQuery>, Vec<Note>), Refusal>) -> Result<bool, Problem> {
    match planned {
        Ok((questions, _)) => Ok(questions.is_empty()),
        Err(refusal) if [Code::KeyNeeded, Code::NotAllowed].contains(&refusal.code) => Ok(false),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Saves a question, or puts it in the place of an earlier one of the same account.
///
/// It is planned at once, with the rights of who saves it: what would be refused is not saved.
#[utoipa::path(put, path = "/v1/questions/{name}", operation_id = "save_question", tag = "questions", request_body = ToSave,
    params(("name" = String, Path, description = "Small letters, digits and hyphens", example = "my-question")),
    responses((status = 200, description = "Changed", body = View), (status = 201, description = "Saved", body = View)))]
pub(crate) async fn save(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    Segment(name): Segment,
    body: Body,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    let to_save: ToSave = json(&asked, body, &door.settings).await?;
    let unreadable = |what: String| {
        let hint = "GET /openapi.json says what a saved question has; GET /v1/questions shows some.";
        Problem::new(Kind::MalformedBody, format!("The question cannot be saved: {what}."), hint)
    };
    if !is_name(&name) {
        return Err(unreadable("a name is of small letters, digits and hyphens".to_owned()));
    }
    let text = to_save.text().map_err(unreadable)?;
    let mut saved = Saved::parse(&name, &text).map_err(unreadable)?;
    let own = visitor.asker.as_ref().map(|asker| asker.key_id.clone());
    // A steward changes what is its author's, who stays it.
    let author =
        door.settings.questions.find(&name).filter(|_| is_steward(&visitor)).map(|known| known.saved.owner.clone());
    saved.owner = author.unwrap_or(own);
    let is_published = plan(&door, &visitor, &saved).await?;
    let kept = saved.clone();
    let may = |known: Option<&Entry>| match known {
        Some(known) => decided(&door, &visitor, known, Decided::QuestionSaved),
        None => recorded(&door, &visitor, Decided::QuestionSaved),
    };
    let is_new = door.settings.questions.keep(kept, may).await.map_err(not_kept)?;
    Ok(unkept(if is_new { StatusCode::CREATED } else { StatusCode::OK }, View::new(&saved, Some(!is_published))))
}

/// Takes a saved question away.
#[utoipa::path(delete, path = "/v1/questions/{name}", operation_id = "remove_question", tag = "questions",
    params(("name" = String, Path, description = "Name of the question", example = "my-question")),
    responses((status = 204, description = "There is no question of that name any more")))]
pub(crate) async fn remove(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    asked: HeaderMap,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    visitor.means_it(&asked)?;
    found(&door, &visitor, &name)?;
    let may = |known: &Entry| decided(&door, &visitor, known, Decided::QuestionRemoved);
    door.settings.questions.remove(&name, may).await.map_err(not_kept)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refuses to save what would not be answered, what is to be made for everybody and is not, and what is not for its author to show.
/// Whether it asks published tables alone.
async fn plan(door: &Door, visitor: &Visitor, saved: &Saved) -> Result<bool, Problem> {
    let lists = saved.parameters.iter().filter_map(|parameter| parameter.code_list.as_deref());
    if let Some(unknown) = lists.into_iter().find(|list| door.reader.catalogue().code_list(list).is_none()) {
        let detail = format!("There is no code list {}.", unknown.chars().take(60).collect::<String>());
        return Err(Problem::new(Kind::UnknownCodeList, detail, "GET /v1/code-lists lists them."));
    }
    let values = saved.values(&[], door.reader.catalogue());
    let params = values.map_err(|what| Problem::new(Kind::MalformedBody, what, "Change its default."))?;
    let question = Question { params, asker: visitor.asker.clone(), ..Question::new(saved.sql.clone()) };
    door.reader.compile(question.clone()).await?;
    let as_public = door.reader.compile(Question { asker: None, ..question }).await;
    let is_published = is_of_the_public(as_public)?;
    if saved.schedule == Schedule::Edition && !is_published {
        let detail = "A question about protected tables is asked by its reader, not with each edition.";
        return Err(Problem::new(Kind::MalformedBody, detail, "Leave the schedule out, or write asked."));
    }
    if saved.audience == Audience::Public && !is_steward(visitor) {
        let detail = "A steward makes a question public.";
        return Err(Problem::new(Kind::AddressNotAllowed, detail, "Leave the audience out, and ask a steward."));
    }
    Ok(is_published)
}

fn found(door: &Door, visitor: &Visitor, name: &str) -> Result<Arc<Entry>, Problem> {
    let found = door.settings.questions.find(name).filter(|entry| sees(visitor, entry));
    found.ok_or_else(|| {
        let hint = "GET /v1/questions lists those that you may see; more of them with a key or login.";
        Problem::new(Kind::NotFound, "There is no saved question of that name.", hint)
    })
}

fn sees(visitor: &Visitor, entry: &Entry) -> bool {
    entry.saved.audience == Audience::Public || visitor.asker.is_some()
}

/// Whether the visitor may change a question that is there: its owner and stewards may. That it does is recorded.
fn decided(door: &Door, visitor: &Visitor, known: &Entry, what: Decided) -> Result<(), NotKept> {
    let own = visitor.asker.as_ref().map(|asker| &asker.key_id);
    if !is_steward(visitor) && known.saved.owner.as_ref() != own {
        return Err(NotKept::Objection("Somebody else has saved the question of that name."));
    }
    recorded(door, visitor, what)
}

/// What is decided is kept before it has an effect.
fn recorded(door: &Door, visitor: &Visitor, what: Decided) -> Result<(), NotKept> {
    let is_kept = door.settings.gate.record(what, visitor.asker.as_ref(), HTTP);
    let sentence = "What is changed is recorded, and the record cannot be written now.";
    if is_kept { Ok(()) } else { Err(NotKept::Failed(sentence.to_owned())) }
}

fn is_steward(visitor: &Visitor) -> bool {
    visitor.role() == Role::Steward
}

fn not_kept(why: NotKept) -> Problem {
    match why {
        NotKept::Closed => {
            let hint = "Questions are saved on the machine that has the data directory.";
            Problem::new(Kind::NotKept, "No questions are saved here.", hint)
        }
        NotKept::Objection(sentence) => {
            Problem::new(Kind::NotChanged, sentence, "Only its owner, or a steward, changes it.")
        }
        NotKept::Failed(sentence) => Problem::new(Kind::NotKept, sentence, "Tell who runs this service."),
    }
}

/// What an answer for readers depends on.
const VARY: &str = "accept, accept-encoding, authorization, cookie";

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// What depends on who asks.
fn private(answer: impl Serialize) -> Response {
    let mut response = unkept(StatusCode::OK, answer);
    response.headers_mut().insert(header::CACHE_CONTROL, PRIVATE);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("authorization, cookie"));
    response
}

/// With each edition, makes the answers that everybody gets, so that nobody waits for them; until the service stops.
pub(crate) async fn keep_fresh(door: Arc<Door>) {
    let mut editions = door.reader.watch();
    loop {
        editions.mark_unchanged();
        for entry in door.settings.questions.all() {
            if entry.saved.schedule == Schedule::Edition {
                make(&door, entry).await;
            }
        }
        tokio::select! {
            () = door.settings.stop.cancelled() => return,
            changed = editions.changed() => if changed.is_err() { return },
        }
    }
}

async fn make(door: &Arc<Door>, entry: Arc<Entry>) {
    if door.reader.current().latest().is_none() {
        return;
    }
    let Ok(params) = entry.saved.values(&[], door.reader.catalogue()) else { return };
    for format in [Format::Json, Format::Csv] {
        let wanted =
            Wanted { entry: Arc::clone(&entry), params: params.clone(), format, bom: false, companions: false };
        let made = match is_published(door, &wanted.entry, wanted.params.clone()).await {
            Ok(true) => wanted.shared(door, &Visitor::default(), &HeaderMap::new()).await.map(|_| ()),
            Ok(false) => Ok(()),
            Err(problem) => Err(problem),
        };
        if made.is_err() {
            tracing::warn!(name = entry.saved.name, "a saved question has no answer in this edition");
        }
    }
}
