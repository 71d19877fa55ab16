-- One row per element with its place from 0; a row without elements gives none.
with arrays as (

    select
        'two' as name,
        {{ json_texts("'[\"x\", \"y\"]'") }} as texts
    union all
    select
        'empty' as name,
        {{ json_texts("'[]'") }} as texts
    union all
    select
        'missing' as name,
        {{ json_texts('(select cast(null as string))') }} as texts

),

unnested as (

    select
        arrays.name,
        elements.text,
        elements.place
    from arrays
    {{ unnest_array('arrays.texts', 'text', 'place', 'elements') }}

),

expected as (

    select
        'two' as name,
        'x' as text,
        0 as place
    union all
    select
        'two' as name,
        'y' as text,
        1 as place

),

differing as (

    select
        unnested.name as unnested_name,
        unnested.text as unnested_text,
        unnested.place as unnested_place,
        expected.name,
        expected.text,
        expected.place
    from unnested
    full outer join expected
        on
            unnested.name = expected.name
            and unnested.text = expected.text
            and unnested.place = expected.place
    where
        unnested.name is null
        or expected.name is null

)

select * from differing
