-- Questions as analysts ask them, each with its answer over the small country of crates/query/tests/it/world.rs.
-- Format: a question goes from one "-- expect:" to the next. "-- expect: ok", a code of refusal, or several ("a or b");
-- "-- params: [...]" JSON values of $1, $2, ...; "-->" a row of the answer ("cell | cell", numbers without closing zeros).
-- A text repeated is written 1000*text between double braces.
-- Over another store the questions hold, the answers do not.

-- expect: ok
--> 1
select 1 as one
-- expect: ok
--> PK-KP | 50
--> PK-PB | 110
--> PK-SD | 70
SELECT province, value FROM published.v01 WHERE time_period = '2023' AND sex = '_T' AND age_group = '_T' AND province <> '_T' ORDER BY province;
-- expect: ok
--> 66
select count(*) from v01
-- expect: ok
--> 2 | victims_per_100000 | 2022 | PK-KP | 0.1 | 0.1 | 0.1 | A | F | rate | 2025-03-31
--> 2 | victims_per_100000 | 2022 | PK-PB | 0.083333 | 0.083333 | 0.083333 | A | F | rate | 2025-03-31
select * from published.v02 order by time_period, province limit 2
-- expect: ok
--> 2022 | 200 | 194 | 206
--> 2023 | 230 | 224 | 236
--> 2024 | 270 | 264 | 276
select time_period, value, lo95, hi95 from v01 where province = '_T' and sex = '_T' and age_group = '_T' order by 1
-- expect: ok
--> 130 | 124 | 136
-- params: ["PK-PB", 2024]
select value, lo95, hi95 from v01 where province = $1 and time_period = cast($2 as text)
-- expect: ok
--> true
-- params: ["2024-12-31"]
select count(*) > 0 from indicator_values where as_of = $1
-- expect: ok
--> PK-PB | 100
--> _T | 200
-- params: [85.5, null, true]
select province, value from v01 where time_period = '2022' and sex = '_T' and value > $1 and $2 is null and $3 order by value
-- expect: ok
--> PK-BA
--> PK-KP
-- params: [2]
select code from reference.province order by code limit $1
-- expect: ok
--> Punjab | 100
--> Sindh | 60
--> Khyber Pakhtunkhwa | 40
select p.en, v.value from published.v01 v join reference.province p on p.code = v.province where v.time_period = '2022' order by v.value desc
-- expect: ok
--> PK-BA | NULL
--> PK-KP | NULL
--> PK-PB | 130
--> PK-SD | 80
select p.code, v.value from reference.province p left join v01 v on v.province = p.code and v.time_period = '2024' order by p.code
-- expect: ok
--> PK-BA
select p.code from reference.province p where not exists (select 1 from v01 v where v.province = p.code) order by 1
-- expect: ok
--> PK-KP
--> PK-PB
--> PK-SD
select code from reference.province where code in (select province from v01) order by code
-- expect: ok
--> PK-PB | 50
--> PK-SD | 30
--> PK-KP | 20
with t as (select province, value from v01 where time_period = '2022' and province like 'PK-%') select province, round(100 * value / sum(value) over (), 1) as percent from t order by percent desc
-- expect: ok
--> 2022 | 200 | NULL
--> 2023 | 230 | 30
--> 2024 | 270 | 40
select time_period, value, value - lag(value) over (order by time_period) as change from v01 where province = '_T' and sex = '_T' and age_group = '_T' order by time_period
-- expect: ok
--> PK-PB | 2022 | 1
--> PK-SD | 2022 | 2
--> PK-KP | 2022 | 3
--> PK-PB | 2024 | 1
--> PK-SD | 2024 | 2
--> PK-KP | 2024 | 3
select province, time_period, rank() over (partition by time_period order by value desc nulls last) as place from v01 where time_period in ('2022', '2024') and province <> '_T' and sex = '_T' and age_group = '_T' order by time_period, place
-- expect: ok
--> PK-KP | 60
--> PK-PB | 92
--> PK-SD | 76
select province, sum(value) from c01 where time_period like '2024-Q%' group by province order by province
-- expect: ok
--> PK-KP | FIA | 8
--> PK-KP | POL | 10
--> PK-KP | all | 18
--> PK-PB | FIA | 12
--> PK-PB | POL | 14
--> PK-PB | all | 26
--> PK-SD | FIA | 10
--> PK-SD | POL | 12
--> PK-SD | all | 22
--> all | all | 66
select coalesce(province, 'all') as province, coalesce(agency_group, 'all') as agency, sum(value) as n from c01 where time_period = '2024-Q4' group by rollup (province, agency_group) order by 1, 2
-- expect: ok
--> NULL | PK-KP | 10 | 0
--> NULL | PK-PB | 18 | 0
--> NULL | PK-SD | 14 | 0
--> FIA | NULL | 18 | 1
--> POL | NULL | 24 | 1
select agency_group, province, sum(value) n, grouping(province) g from c01 where time_period = '2023-Q1' group by grouping sets ((agency_group), (province)) order by g, agency_group, province
-- expect: ok
--> 2022 | 180
--> 2023 | 204
--> 2024 | 228
select left(time_period, 4) as year, sum(value) as cases from c01 group by left(time_period, 4) having sum(value) > 160 order by year
-- expect: ok
--> 2024 | 4 | 10
--> 2024 | 3 | 9
select cast(substring(time_period from 1 for 4) as integer) as year, right(time_period, 1) as quarter, max(value) from c01 where province = 'PK-KP' and agency_group = 'POL' and time_period like '%-Q%' group by 1, 2 order by year desc, quarter desc limit 2
-- expect: ok
--> Pakistan | 7
--> Punjab | 1
--> elsewhere | 2
select case when province = 'PK-PB' then 'Punjab' when province = '_T' then 'Pakistan' else 'elsewhere' end as place, count(*) from v01 where time_period = '2023' group by 1 order by 1
-- expect: ok
--> 1 | 9 | 10
select count(*) filter (where conf_status = 'C') as suppressed, count(value) as shown, count(*) as cells from v01 where time_period = '2024'
-- expect: ok
--> PK-KP
select province from v01 where value is null and conf_status = 'C'
-- expect: ok
--> PK-SD | 0.12
--> PK-KP | 0.1
--> PK-PB | 0.0833
select v.province, round(v.value * 100000 / p.population, 4) as rate from v01 v join reference.population p on p.province = v.province and cast(p.year as text) = v.time_period where v.time_period = '2022' and v.province <> '_T' order by rate desc
-- expect: ok
--> PK-SD | 0.12
--> PK-KP | 0.1
--> PK-PB | 0.083333
select province, value from v02 where time_period = '2022' order by value desc
-- expect: ok
--> 2022 | 0
--> 2023 | 0
--> 2024 | 10
select time_period, b.value - a.value as revision from indicator_values a join indicator_values b using (indicator, measure, time_period, province, sex, age_group) where a.edition = 1 and b.edition = 2 and a.indicator = 'V01' and a.province = 'PK-PB' and length(a.time_period) = 4 order by 1
-- expect: ok
--> 100 | 40 | 66.6666666666 | 60 | 200
select max(value), min(value), avg(value), median(value), sum(value) from v01 where time_period = '2022' and province like 'PK%'
-- expect: ok
--> 30.550505 | 1
select round(stddev(value), 6), round(corr(value, value + 1), 6) from v01 where time_period = '2022' and province like 'PK%'
-- expect: ok
--> 66.6666666666 | 66.66666666666667
select sum(value) / count(*), sum(value) * 1.0 / nullif(count(*), 0) from v01 where time_period = '2022' and province like 'PK%'
-- expect: ok
--> 1 | 2024-12-31 | true | m1
--> 2 | 2025-03-31 | true | m1
select edition, as_of, synthetic, methodology from published.editions order by edition
-- expect: ok
--> 2024 | 4 | 2024-12-01T00:00:00
--> 2025 | 1 | 2025-03-01T00:00:00
select extract(year from as_of) as year, date_part('quarter', as_of) as q, date_trunc('month', as_of) as month from published.editions order by edition
-- expect: ok
--> 2
select edition from published.editions where as_of >= date '2025-01-01' and as_of < date '2025-01-01' + interval '1 year'
-- expect: ok
--> 31.12.2024 | 2024-12-30
select to_char(as_of, '%d.%m.%Y'), as_of - interval '1 day' from published.editions order by edition limit 1
-- expect: ok
--> 1 | 2025-01-15T08:00:00Z
select edition, published_at from published.editions where published_at between '2025-01-01' and '2025-02-01'
-- expect: ok
--> cases | 36
--> victims | 50
select 'cases' as what, sum(value) from c01 where time_period = '2022-Q1' union all select 'victims', sum(value) from v01 where time_period = '2022-Q1' order by what
-- expect: ok
--> PK-PB
--> PK-SD
select province from c01 intersect select code from reference.province except select 'PK-KP' order by 1
-- expect: ok
--> 1 | a
--> 2 | b
values (1, 'a'), (2, 'b')
-- expect: ok
--> PK-PB | Punjab
--> PK-SD | Sindh
select t.code, t.label from (values ('PK-PB', 'Punjab'), ('PK-SD', 'Sindh')) as t(code, label) join c01 on c01.province = t.code group by 1, 2 order by 1
-- expect: ok
--> FIA
--> POL
select distinct agency_group from c01 order by agency_group
-- expect: ok
--> PK-KP | 2023 | 50
--> PK-PB | 2024 | 130
--> PK-SD | 2024 | 80
select distinct on (province) province, time_period, value from v01 where province like 'PK%' and value is not null and length(time_period) = 4 order by province, time_period desc
-- expect: ok
--> PK-PB
select province from v01 where time_period = '2022' and value = (select max(value) from v01 where time_period = '2022' and province <> '_T')
-- expect: ok
--> PK-KP | 3 | 40
--> PK-PB | 7 | 100
--> PK-SD | 5 | 60
select c.province, c.value, (select max(v.value) from v01 v where v.province = c.province and v.time_period = '2022') as victims from c01 c where c.time_period = '2022-Q1' and c.agency_group = 'FIA' order by 1
-- expect: ok
--> published | c01
--> published | editions
--> published | indicator_values
--> published | v01
--> published | v02
select table_schema, table_name from information_schema.tables where table_schema = 'published' order by table_name
-- expect: ok
--> edition | bigint | NO
--> measure | text | NO
--> time_period | text | NO
--> province | text | YES
--> sex | text | YES
--> age_group | text | YES
--> value | numeric | YES
--> lo95 | numeric | YES
--> hi95 | numeric | YES
--> obs_status | text | YES
--> conf_status | text | YES
--> unit | text | YES
--> as_of | date | NO
select column_name, data_type, is_nullable from information_schema.columns where table_schema = 'published' and table_name = 'v01' order by ordinal_position
-- expect: ok
--> 00-08 | child
--> 09-17 | child
--> 18-24 | adult
select code, age_group from reference.age_band order by code
-- expect: ok
--> PK | 142
--> AF | 142
select code, citizenship_region from amanat.reference.citizenship order by code desc
-- expect: ok
--> V01 | Identified victims | person | province, sex, age_group | published.v01
select id, title_en, unit, dimensions, table_name from reference.indicators where id = 'V01'
-- expect: ok
--> SINDH | pk-sd | 3
select upper(en), lower(code), length(ur) from province where code = 'PK-SD'
-- expect: ok
--> Punjab (PK-PB) | Punjab PK-PB | ..PB
select concat(en, ' (', code, ')'), en || ' ' || code, lpad(split_part(code, '-', 2), 4, '.') from reference.province where code = 'PK-PB'
-- expect: ok
--> PK-KP | 12
--> PK-PB | 32
--> PK-SD | 48
select province, sum(sum(value)) over (order by province) as running from c01 where time_period = '2024-Q1' group by province order by province
-- expect: ok
--> 1 | PK-KP
select ntile(2) over (order by province, agency_group) as half, first_value(province) over (order by province) f from c01 where time_period = '2024-Q1' order by 1, 2 limit 1
-- expect: ok
--> 2022 | PK-PB | 76
--> 2023 | PK-PB | 84
--> 2024 | PK-PB | 92
with per_year as (select left(time_period, 4) as y, province, sum(value) as n from c01 group by 1, 2), best as (select y, max(n) as n from per_year group by y) select p.y, p.province, p.n from per_year p join best b on b.y = p.y and b.n = p.n order by 1
-- expect: ok
--> 0.6
select sum(case when sex = 'F' then value else 0 end) / sum(value) as share from v01 where time_period = '2023' and sex in ('F', 'M') and age_group = '_T'
-- expect: ok
--> true | 12.5 | 3 | 3.5 | 1
select try_cast('x' as integer) is null, cast('12.5' as numeric(10, 2)), 7 / 2, 7 / 2.0, 7 % 2
-- expect: ok
--> 60 | PK-SD
select "value" as "Wert", V01.PROVINCE from PUBLISHED.V01 where TIME_PERIOD = '2022' and province = 'PK-SD'
-- expect: ok
--> 60
select percentile_cont(0.5) within group (order by value) from v01 where time_period = '2022' and province like 'PK%'
-- expect: ok
--> false | true | true
select (select count(*) > 0 from v01 where value > 1000), value is distinct from null, not (1 > 2) from v01 where time_period = '2022' and province = '_T' and sex = '_T'
-- expect: ok
--> 1 | 2 | 1 | 1 | 1 | 1
--> 3 | 3 | 2 | 3 | 3 | 9
select x.n, greatest(x.n, 2), least(x.n, 2), abs(-x.n), sqrt(x.n * x.n), power(x.n, 2) from (values (1), (3)) as x(n) order by n
-- expect: ok
--> PK-SD | 80
--> PK-KP | NULL
select province, value from v01 where time_period = '2024' and province <> '_T' order by value desc nulls last, province offset 1
-- expect: ok
--> 130
select known.value from v01 a join v01 as known on known.province = a.province and known.time_period = a.time_period and known.sex = a.sex and known.age_group = a.age_group where a.time_period = '2024' and a.province = 'PK-PB'
