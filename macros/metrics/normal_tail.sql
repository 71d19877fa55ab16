{#- Probability that a standard normal variable exceeds z, to 15 decimals. Neither engine knows the error function; this is
    the rational approximation of J. F. Hart (1968) in the form of G. West, Better approximations to cumulative normal
    functions (2005).
    Args: z: name of a float column, not null. -#}
{% macro normal_tail(z) -%}
    {%- set x = 'abs(' ~ z ~ ')' -%}
    {%- set coefficients = {
        'numerator': ['0.0352624965998911', '0.700383064443688', '6.37396220353165', '33.912866078383',
            '112.079291497871', '221.213596169931', '220.206867912376'],
        'denominator': ['0.0883883476483184', '1.75566716318264', '16.064177579207', '86.7807322029461',
            '296.564248779674', '637.333633378831', '793.826512519948', '440.413735824752'],
    } -%}
    {%- set polynomials = {} -%}
    {%- for part, factors in coefficients.items() -%}
        {%- set horner = namespace(sql=factors[0]) -%}
        {%- for factor in factors[1:] -%}
            {%- set horner.sql = '(' ~ horner.sql ~ ') * ' ~ x ~ ' + ' ~ factor -%}
        {%- endfor -%}
        {%- do polynomials.update({part: horner.sql}) -%}
    {%- endfor -%}
    {%- set upper -%}
        case
            when {{ x }} > 37 then 0
            when {{ x }} < 7.07106781186547
                then exp(-{{ x }} * {{ x }} / 2) * ({{ polynomials.numerator }}) / ({{ polynomials.denominator }})
            else
                exp(-{{ x }} * {{ x }} / 2) / 2.506628274631
                / ({{ x }} + 1 / ({{ x }} + 2 / ({{ x }} + 3 / ({{ x }} + 4 / ({{ x }} + 0.65)))))
        end
    {%- endset -%}
    case when {{ z }} > 0 then {{ upper }} else 1 - {{ upper }} end
{%- endmacro %}
