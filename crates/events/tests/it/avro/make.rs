//! Random events from the contract's JSON Schemas, random writers' schemas from its Avro schemas, and values of both for
//! `apache-avro`. All synthetic.

use apache_avro::types::Value as Avro;
use events::{EventType, avro, schema};
use serde_json::{Map, Value, json};

/// A small generator of numbers (SplitMix64), so that one number stands for a whole case.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn flag(&mut self) -> bool {
        self.next() & 1 == 0
    }
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
    fn token(&mut self) -> String {
        let length = 16 + self.below(49);
        (0..length).map(|i| if i < 4 { "kqwz".as_bytes()[i] } else { *self.pick(b"0123456789bcdfg") } as char).collect()
    }
    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// Data of a type that the contract accepts.
pub fn data(kind: EventType, dice: &mut Dice) -> Value {
    let whole = schema::of(kind, kind.newest());
    let mut data = object(&whole, dice, false);
    if kind == EventType::RecordCorrected {
        let target = EventType::from_name(data["target_type"].as_str().unwrap()).unwrap();
        let mut patch = schema::of(target, target.newest());
        let properties = patch["properties"].as_object_mut().unwrap();
        properties.remove("person");
        properties.remove("record_version");
        data["fields"] = object(&patch, dice, true);
    }
    data
}

fn object(of: &Value, dice: &mut Dice, all_optional: bool) -> Value {
    let required: Vec<&str> = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut made = Map::new();
    let mut properties: Vec<_> = of["properties"].as_object().unwrap().iter().collect();
    dice.shuffle(&mut properties);
    // Those of a correction are made by its target's type.
    for (name, of) in properties.into_iter().filter(|(name, _)| *name != "fields") {
        if (required.contains(&name.as_str()) && !all_optional) || dice.flag() {
            made.insert(name.clone(), value(name, of, dice));
        }
    }
    if made.is_empty() {
        let (name, of) = of["properties"].as_object().unwrap().iter().next().unwrap();
        made.insert(name.clone(), value(name, of, dice));
    }
    Value::Object(made)
}

fn value(name: &str, of: &Value, dice: &mut Dice) -> Value {
    if let Some(codes) = of["enum"].as_array() {
        return dice.pick(codes).clone();
    }
    match of["type"].as_str() {
        Some("object") => object(of, dice, false),
        Some("integer") => {
            let (low, high) = (of["minimum"].as_i64().unwrap(), of["maximum"].as_i64().unwrap());
            json!(low + (dice.next() % (high - low + 1) as u64) as i64)
        }
        Some("array") => {
            let count = 1 + dice.below(3);
            let mut items: Vec<Value> = Vec::new();
            for _ in 0..count {
                let item = value(name, &of["items"], dice);
                if !items.contains(&item) {
                    items.push(item);
                }
            }
            json!(items)
        }
        _ => json!(match name {
            "occurred_on" => (*dice.pick(&["2024", "2023-Q4", "2021-07", "2020-02-29"])).to_owned(),
            "period" => (*dice.pick(&["2024", "2023-Q4", "2021-07"])).to_owned(),
            "token" => dice.token(),
            "case_id" | "other_case_id" => format!("POL-PB/{}", dice.token()),
            "contact_id" => format!("HLP-PB/{}", dice.token()),
            "agency" | "to_agency" | "successor" => "POL-PB".to_owned(),
            "row" => format!("{}#0/tip.events.POL-PB.v1/2/{}", dice.token(), dice.below(1_000)),
            "person_id" | "other_id" | "from" | "into" => dice.uuid().replace('-', ""),
            "valid_from" | "valid_to" | "changed_on" | "counted_on" =>
                (*dice.pick(&["2018-05-31", "2024-02-29"])).to_owned(),
            "area" | "into_area" | "parent" => (*dice.pick(&["PK", "PK-KP", "PK-PB-LHR"])).to_owned(),
            "court" => "CRT-PB-LHR-1".to_owned(),
            "list" => "section".to_owned(),
            "code" | "replaced_by" => (*dice.pick(&["PTPA-4", "PPC-371A"])).to_owned(),
            "name_en" => "Lahore Division".to_owned(),
            "name_ur" => "لاہور ڈویژن".to_owned(),
            "published_in" => "Population and Housing Census 2023".to_owned(),
            _ => dice.uuid(),
        }),
    }
}

/// A writer's schema that Avro resolves to the contract's: fields in another order, more of them, fewer optional ones,
/// other types where a promotion leads back. The fields left out are taken from the data, too.
pub fn writer(kind: EventType, data: &mut Value, dice: &mut Dice) -> Value {
    let mut schema = avro::schema_of(kind, kind.newest());
    change(&mut schema, Some(data), dice);
    schema
}

fn change(schema: &mut Value, data: Option<&mut Value>, dice: &mut Dice) {
    if schema["type"] == "array" {
        let items = &mut schema["items"];
        if items == "string" && dice.flag() {
            *items = json!("bytes");
        } else if items.is_object() {
            change(items, None, dice);
        }
        return;
    }
    let mut data = data.and_then(|data| data.as_object_mut());
    let named = schema["name"].as_str().unwrap().to_owned();
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.retain(|field| {
        let optional = field.get("default").is_some();
        let keep = !optional || data.is_none() || dice.below(6) > 0;
        if let (false, Some(data)) = (keep, data.as_mut()) {
            data.remove(field["name"].as_str().unwrap());
        }
        keep
    });
    for field in fields.iter_mut() {
        let of = &mut field["type"];
        match of {
            Value::Array(union) if union[0] == "null" => {
                if union[1].is_object() {
                    change(&mut union[1], None, dice);
                } else if dice.flag() {
                    union[1] = promoted(&union[1]);
                }
                if dice.flag() {
                    union.swap(0, 1);
                    field.as_object_mut().unwrap().remove("default");
                }
            }
            Value::Array(records) => dice.shuffle(records),
            Value::Object(_) => change(of, None, dice),
            Value::String(_) if dice.flag() => *of = promoted(of),
            // A union, though the contract has none: branches are judged one by one.
            Value::String(_) if dice.flag() => *of = json!(["boolean", of.clone(), "null"]),
            _ => {}
        }
    }
    let more = dice.below(4);
    for i in 0..more {
        let at = dice.below(fields.len() + 1);
        fields.insert(at, extra(&format!("note_{i}"), &named, dice));
    }
    if dice.flag() {
        dice.shuffle(fields);
    }
}

/// A type that is promoted to the contract's.
fn promoted(of: &Value) -> Value {
    match of.as_str() {
        Some("string") => json!("bytes"),
        _ => of.clone(),
    }
}

fn extra(name: &str, record: &str, dice: &mut Dice) -> Value {
    let named = format!("X_{record}_{name}");
    let types = [
        json!("string"),
        json!("bytes"),
        json!("boolean"),
        json!("float"),
        json!("double"),
        json!("int"),
        json!("null"),
        json!({ "type": "array", "items": "null" }),
        json!({ "type": "array", "items": ["null", "string"] }),
        json!({ "type": "map", "values": { "type": "array", "items": "long" } }),
        json!({ "type": "enum", "name": named, "symbols": ["A", "B", "C"] }),
        json!({ "type": "fixed", "name": named, "size": 7 }),
        json!({ "type": "record", "name": named, "fields": [
            { "name": "inner", "type": "string" },
            { "name": "next", "type": ["null", named] },
        ] }),
    ];
    json!({ "name": name, "type": dice.pick(&types) })
}

/// The data as a value of a writer's schema; what the data lack is made up.
pub fn avro_value(schema: &Value, data: Option<&Value>, dice: &mut Dice) -> Avro {
    typed(schema, data, None, dice)
}

fn typed(schema: &Value, data: Option<&Value>, target: Option<&str>, dice: &mut Dice) -> Avro {
    match schema {
        Value::String(name) => plain(name, data, dice),
        Value::Array(branches) => branch(branches, data, target, dice),
        _ => match schema["type"].as_str().unwrap() {
            "record" => {
                let target = data.and_then(|d| d["target_type"].as_str());
                let fields = schema["fields"].as_array().unwrap().iter().map(|field| {
                    let name = field["name"].as_str().unwrap();
                    let data = data.and_then(|data| data.get(name));
                    (name.to_owned(), typed(&field["type"], data, target, dice))
                });
                Avro::Record(fields.collect())
            }
            "array" => {
                let items =
                    data.and_then(Value::as_array).map_or_else(Vec::new, |items| items.iter().map(Some).collect());
                let items = if data.is_none() { vec![None; dice.below(4)] } else { items };
                Avro::Array(items.into_iter().map(|item| typed(&schema["items"], item, None, dice)).collect())
            }
            "map" => {
                let count = dice.below(3);
                let entry = |i: usize, dice: &mut Dice| (format!("k{i}"), typed(&schema["values"], None, None, dice));
                Avro::Map((0..count).map(|i| entry(i, dice)).collect())
            }
            "enum" => Avro::Enum(1, "B".into()),
            "fixed" => Avro::Fixed(7, vec![0xff; 7]),
            name => plain(name, data, dice),
        },
    }
}

fn branch(branches: &[Value], data: Option<&Value>, target: Option<&str>, dice: &mut Dice) -> Avro {
    let records = branches.iter().all(Value::is_object);
    let at = match data {
        Some(_) if records => {
            let name = format!("{:?}Fields", EventType::from_name(target.unwrap()).unwrap());
            branches.iter().position(|b| b["name"] == *name)
        }
        Some(_) => branches.iter().position(|b| b != "null" && b != "boolean"),
        None => branches.iter().position(|b| b == "null"),
    };
    let at = at.unwrap();
    Avro::Union(at as u32, Box::new(typed(&branches[at], data, None, dice)))
}

fn plain(name: &str, data: Option<&Value>, dice: &mut Dice) -> Avro {
    let text =
        |dice: &mut Dice| data.map_or_else(|| format!("made up {}", dice.below(9)), |d| d.as_str().unwrap().to_owned());
    match name {
        "null" => Avro::Null,
        "boolean" => Avro::Boolean(dice.flag()),
        "float" => Avro::Float(1.5),
        "double" => Avro::Double(-2.5),
        "int" => Avro::Int(data.map_or(-7, |d| d.as_i64().unwrap() as i32)),
        "long" => Avro::Long(data.map_or(-7, |d| d.as_i64().unwrap())),
        "bytes" => Avro::Bytes(text(dice).into_bytes()),
        "string" => Avro::String(text(dice)),
        _ => unreachable!("a named type inside itself is null"),
    }
}
