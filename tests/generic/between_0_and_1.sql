{#- A price or a share: nothing below 0 and nothing above 1. Null is allowed. -#}
{% test between_0_and_1(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < 0 or {{ column_name }} > 1
{% endtest %}
