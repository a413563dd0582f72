namespace SafeLlama.Data.Tests;

/// <summary>Templates and what Jinja2 3.1, set as transformers sets it, makes of them.</summary>
/// <remarks>The variables are those of <see cref="JinjaProgramTests.Variables"/>.</remarks>
internal static class JinjaCases
{
    public static IEnumerable<(string Source, string Expected)> All()
    {
        yield return (
            "{{ 1 }}",
            "1");
        yield return (
            "{% if t %}\n  a\n{% else %}\nb\n{% endif %}\n x",
            "  a\n x");
        yield return (
            "  {% for m in messages %}\n  {{ m.role }}: {{ m['content'] | trim }}\n  {% endfor %}\nend",
            "  user: Hi\n  assistant: Hello\nend");
        yield return (
            "{%- for m in messages -%} [{{ loop.index }}/{{loop.length}}{{loop.first}}{{loop.last}}] {%- e"
                + "ndfor -%}",
            "[1/2TrueFalse][2/2FalseTrue]");
        yield return (
            "{% for x in l if x > 1 %}{{ x }},{{ loop.index }};{% else %}none{% endfor %}",
            "3,1;2,2;2,3;");
        yield return (
            "{% for x in [] %}a{% else %}none{% endfor %}",
            "none");
        yield return (
            "{% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}",
            "9");
        yield return (
            "{% macro m(a, b=2) %}[{{a}}{{b}}]{% endmacro %}{{ m(1) }}{{ m(1,3) }}{{ m(b=5,a=0) }}{{m()}}",
            "[12][13][05][2]");
        yield return (
            "{% macro w(x) %}<{{ caller(x) }}>{% endmacro %}{% call(y) w(3) %}{{ y*2 }}{% endcall %}",
            "<6>");
        yield return (
            "{% set x %} a {{ n }} b {% endset %}[{{ x }}]{% set y | upper | trim %} q {% endset %}[{{y}}]",
            "[ a 7 b ][Q]");
        yield return (
            "{{ s.split('X') }} {{ long.split() }} {{ long.split(None,1) }} {{ s.split('X',1)[-1] }}",
            "['a', 'b', 'c'] ['one', 'two', 'three', 'four'] ['one', 'two  three\\nfour'] bXc");
        yield return (
            "{{ s[::-1] }} {{ s[1:] }} {{ s[:-1] }} {{ l[::2] }} {{ l[-1] }} {{ l[9] }} {{ s[-3:-1] }} {{ "
                + "l[5:1:-1] }}",
            "cXbXa XbXc aXbX [3, 2] 2  bX [2, 2]");
        yield return (
            "{{ uni|length }} {{ uni[3] }} {{ uni[::-1] }} {{ uni.upper() }} {{ uni[2:4] }} {{ uni.find('x"
                + "') }}",
            "5 😀 x😀ßéh HÉSS😀X ß😀 4");
        yield return (
            "{{ d }} {{ l }} {{ (1,) }} {{ (1,2) }} {{ [] }} {{ {} }} {{ z }} {{ t }} {{ f }} {{ 1e20 }} {"
                + "{ 1.0 }} {{ 0.00001 }} {{ 123456789.123 }}",
            "{'a': 1, 'b': [1, 'x']} [3, 1, 2, 2] (1,) (1, 2) [] {} None True 1.5 1e+20 1.0 1e-05 12345678"
                + "9.123");
        yield return (
            "{{ \"it's\" }} {{ [\"it's\", 'q\"', 'b\\\\', \"n\\n\", \"both'\\\"\"] }} {{ [\"é😀\\x01\\u200b"
                + "\"] }}",
            "it's [\"it's\", 'q\"', 'b\\\\', 'n\\n', 'both\\'\"'] ['é😀\\x01\\u200b']");
        yield return (
            "{{ d|tojson }} {{ d|tojson(indent=2) }} {{ messages|tojson }} {{ \"é\\n\\\"<\" |tojson }} {{ "
                + "d|tojson(separators=(',',':')) }} {{ {'b':1,'a':2}|tojson(sort_keys=true) }} {{ []|tojson(ind"
                + "ent=4) }}",
            "{\"a\": 1, \"b\": [1, \"x\"]} {\n  \"a\": 1,\n  \"b\": [\n    1,\n    \"x\"\n  ]\n} [{\"role\""
                + ": \"user\", \"content\": \" Hi \\n\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}] \"é"
                + "\\n\\\"<\" {\"a\":1,\"b\":[1,\"x\"]} {\"a\": 2, \"b\": 1} []");
        yield return (
            "{{ undef }}|{{ undef|default('x') }}|{{ e|default('y') }}|{{ e|default('y',true) }}|{{ undef "
                + "is defined }}|{{ undef|length }}|{{ undef|upper }}",
            "|x||y|False|0|");
        yield return (
            "{{ z.x }}|{{ d.q }}|{{ d.q is defined }}|{{ d['a'] }}|{{ d.get('q','w') }}|{{ d.get('q') }}",
            "||False|1|w|None");
        yield return (
            "{{ 'a' ~ 1 ~ none ~ true ~ undef }}",
            "a1NoneTrue");
        yield return (
            "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ -2 ** 2 }} {{"
                + " 2 ** -1 }} {{ 6 / 2 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}",
            "3 -4 1 2 3.5 8 4 0.5 3.0 3.0 0.5");
        yield return (
            "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ 1 == 1.0 }} {{ true =="
                + " 1 }} {{ 'a' in s }} {{ 'a' not in s }} {{ 1 in l }} {{ 'a' in d }}",
            "True False True True True True True False True True");
        yield return (
            "{{ not t and e }} {{ e or 'x' }} {{ t and 'y' }} {{ 'a' if t else 'b' }} {{ 'a' if e }}",
            "False x y a ");
        yield return (
            "{{ x is defined }} {{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is divisibleb"
                + "y(2) }} {{ s is string }} {{ d is mapping }} {{ l is iterable }} {{ l is sequence }} {{ n is "
                + "number }} {{ t is boolean }} {{ t is true }} {{ z is none }} {{ z is not none }} {{ n is eq 7"
                + " }} {{ n is equalto(7) }} {{ n is in l }} {{ n is not in [7] }}",
            "False True False True False True True True True True True True True False True True False Fal"
                + "se");
        yield return (
            "{{ messages|selectattr('role','equalto','user')|list }} {{ messages|rejectattr('role','equalt"
                + "o','user')|map(attribute='content')|list }} {{ l|select('odd')|list }} {{ l|reject('gt',1)|jo"
                + "in(',') }} {{ ['a','b']|map('upper')|join('-') }}",
            "[{'role': 'user', 'content': ' Hi \\n'}] ['Hello'] [3, 1] 1 A-B");
        yield return (
            "{% if messages|selectattr('role','equalto','tool') %}yes{% else %}no{% endif %}",
            "yes");
        yield return (
            "{{ l|sort }} {{ l|sort(reverse=true) }} {{ l|unique|list }} {{ l|sum }} {{ l|min }} {{ l|max "
                + "}} {{ l|first }} {{ l|last }} {{ l|reverse|list }} {{ s|reverse }} {{ ['b','A','c']|sort }} {"
                + "{ d|items|list }} {{ d.items() | list }} {{ d.keys()|list }} {{ d.values()|list }}",
            "[1, 2, 2, 3] [3, 2, 2, 1] [3, 1, 2] 8 1 3 3 2 [2, 2, 1, 3] cXbXa ['A', 'b', 'c'] [('a', 1), ("
                + "'b', [1, 'x'])] [('a', 1), ('b', [1, 'x'])] ['a', 'b'] [1, [1, 'x']]");
        yield return (
            "{{ ' a b '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 'hello world'|title }}|{{ \"it's o'neil\"|title"
                + " }}|{{ \"it's o'neil\".title() }}|{{ 'hELLO'|capitalize }}|{{ 'a.b'.replace('.','-') }}|{{ 'a"
                + "aa'|replace('a','b',2) }}|{{ 'abc'.replace('','-') }}",
            "a b|a|Hello World|It's O'neil|It'S O'Neil|Hello|a-b|bba|-a-b-c-");
        yield return (
            "{{ '12'|int }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ '1.7'|int }} {{ 3.9|int }} {{ '1.5'|float }}"
                + " {{ -3|abs }} {{ true|int }}",
            "12 0 5 1 3 1.5 3 1");
        yield return (
            "{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2,true) }}|{{ 'a\\n\\nb'|indent(width=1,blank=t"
                + "rue) }}",
            "a\n    b\n\n    c|  a\n  b|a\n \n b");
        yield return (
            "{# comment #}\na {#- c -#}  b\n  {# c #}\nc",
            "ab\nc");
        yield return (
            "{% raw %}{{ x }} {% if %}{% endraw %}\nz",
            "{{ x }} {% if %}z");
        yield return (
            "{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in"
                + " range(9) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "02012");
        yield return (
            "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}",
            "a=1;b=[1, 'x'];ab");
        yield return (
            "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set q = (1, 2) %}{{ q }}{% set q = 1, 2 %}{{ q }}",
            "12(1, 2)(1, 2)");
        yield return (
            "{% for i in l %}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.revindex }}{{ loop.cycle('a','b"
                + "') }}{{ loop.changed(i) }} {% endfor %}",
            "14aTrue 323bTrue 122aTrue 21bFalse ");
        yield return (
            "{% set x = 1 %}{% for i in l %}{% set x = i %}{% endfor %}{{ x }}",
            "1");
        yield return (
            "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}",
            "2");
        yield return (
            "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}",
            "3");
        yield return (
            "{% filter upper %}a{{ s }}{% endfilter %}",
            "AAXBXC");
        yield return (
            "{% generation %}abc{% endgeneration %}",
            "abc");
        yield return (
            "{{ strftime_now('%d %b %Y') }}",
            "26 Jul 2024");
        yield return (
            "{{ '%s' % 'a' }}",
            "a");
        yield return (
            "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('c','d')) }} {{ 'a,b,c'.rsplit(',',1) }} {{ 'a"
                + "=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'a\\nb\\r\\nc'.splitlines() }} {{ 'a"
                + "bcab'.count('ab') }} {{ 'xyx'.strip('x') }} {{ 'abc'.removeprefix('a') }} {{ ','.join(['a','b"
                + "']) }}",
            "True True ['a,b', 'c'] ('a', '=', 'b=c') ('a=b', '=', 'c') ['a', 'b', 'c'] 2 y bc a,b");
        yield return (
            "{{ [1,2]+[3] }} {{ 'ab'*3 }} {{ [0]*2 }} {{ 3*'x' }} {{ 'a' 'b' }}",
            "[1, 2, 3] ababab [0, 0] xxx ab");
        yield return (
            "{%+ if t %}a{%+ endif %}  b\n  {%- if t +%}\nc{% endif %}",
            "a  b\nc");
        yield return (
            "{{- ' x' -}}   \n {{+ 1 }}",
            " x1");
        yield return (
            "a\n",
            "a");
        yield return (
            "{{ messages[0]['content'].strip() }}{{ messages[-1].content }}{{ messages|length }}{{ message"
                + "s[1:]|length }}",
            "HiHello21");
        yield return (
            "{{ \"\\u00e9\\x41\\101\\q\\'\" }}",
            "éAA\\q'");
        yield return (
            "{{ 1_000 }} {{ 1.5e3 }} {{ 1e3 }}",
            "1000 1500.0 1000.0");
        yield return (
            "{{ namespace(a=1).a }} {{ dict(a=1) }}",
            "1 {'a': 1}");
        yield return (
            "{{ l | join(', ') | upper ~ 'x' }}",
            "3, 1, 2, 2x");
        yield return (
            "{{ -1|abs }} {{ 2 - -1 }} {{ - n }} {{ not 1 == 2 }}",
            "1 3 -7 True");
        yield return (
            "{% if not x is defined %}u{% endif %}{% if x is not defined and n is defined %}v{% endif %}",
            "uv");
        yield return (
            "{{ range(5)|list }} {{ range(1,10,3)|list }} {{ range(5,0,-2)|list }} {{ range(0)|list }}",
            "[0, 1, 2, 3, 4] [1, 4, 7] [5, 3, 1] []");
        yield return (
            "{% for i in range(3) %}{% if i is defined and y is defined %}{{ y }}{% endif %}{% set y = i %"
                + "}{% endfor %}",
            "");
        yield return (
            "{% macro a() %}{{ q }}{% endmacro %}{% set q = 5 %}{{ a() }}",
            "5");
        yield return (
            "{{ caller }}{{ loop }}",
            "");
        yield return (
            "{{ d.b[1] }} {{ d['b'][0] }} {{ d.b.0 }}",
            "x 1 1");
        yield return (
            "{{ 'a' is in 'abc' }} {{ 1 is lt 2 }} {{ 2 is ge(2) }} {{ none is sameas none }}",
            "True True True True");
        yield return (
            "{{ none|trim }} {{ 5|upper }} {{ true|string }} {{ [1]|string }} {{ none|string|length }}",
            "None 5 True [1] 4");
        yield return (
            "{{ d|length }}{{ d|list }}{{ d|first }}{{ d|join('-') }}",
            "2['a', 'b']aa-b");
        yield return (
            "{{ l|map('string')|join }} {{ [[1,2],[3]]|map('first')|list }} {{ [{'a':{'b':1}}]|map(attribu"
                + "te='a.b')|list }} {{ [{'a':1},{}]|map(attribute='a',default=0)|list }}",
            "3122 [1, 3] [1] [1, 0]");
        yield return (
            "{{ s.upper().lower()|length + 1 }}",
            "6");
        yield return (
            "{% set m = messages[0] %}{% if m.role == 'user' and m['content'] %}{{ '<|user|>' + m.content."
                + "strip() + '\\n' }}{% endif %}",
            "<|user|>Hi\n");
        yield return (
            "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_excep"
                + "tion('alternate') }}{% endif %}{% endfor %}ok",
            "ok");
        yield return (
            "{{ 10 is divisibleby 5 and true }} {{ 'x' is string or false }}",
            "True True");
        yield return (
            "{{ \"a\" if false else \"b\" if false else \"c\" }}",
            "c");
        yield return (
            "{{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 }} {{ 1.0e-4 }} {{ 5e-324 }} {{ 100.0 }} {{ 1e100 }} {{ -0"
                + ".0 }}",
            "0.30000000000000004 1e+16 1000000000000000.0 0.0001 5e-324 100.0 1e+100 -0.0");
        yield return (
            "{{ '' | default('a', boolean=True) }}{{ none | default('b') }}{{ none | default('b', true) }}"
                + "{{ 0 | d(3, true) }}",
            "aNoneb3");
        yield return (
            "{{ [1,2,3][1:] }}{{ 'héllo'|upper }}{{ 'É'|lower }}",
            "[2, 3]HÉLLOé");
        yield return (
            "{{ [true, none, 1.5, 'x']|tojson }}{{ {1: 2, true: 3, none: 4}|tojson }}{{ {1:1, true:2} }}",
            "[true, null, 1.5, \"x\"]{\"1\": 3, \"null\": 4}{1: 2}");
        yield return (
            "{{ true + 1 }} {{ true * 3 }} {{ +true }} {{ -true }}",
            "2 3 1 -1");
        yield return (
            "{% set x = 'a' %}{% set x = x ~ 'b' %}{{ x }}{% set ns = namespace() %}{% set ns.f = false %}"
                + "{{ ns.f }}{{ ns.g }}",
            "abFalse");
        yield return (
            "{% for i in [1,2] %}{% for j in [3,4] %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.i"
                + "ndex }}{% endfor %}",
            "1121111212");
        yield return (
            "{{ messages | map(attribute='role') | unique | list | length }}",
            "2");
        yield return (
            "{{ long.split('\\n')[0].split(' ') }} {{ '  a '.split(' ') }} {{ ''.split() }} {{ ''.split(',"
                + "') }}",
            "['one', 'two', '', 'three'] ['', '', 'a', ''] [] ['']");
        yield return (
            "{{ s | replace('X', '<') | safe }}",
            "a<b<c");
        yield return (
            "{{ 'abc' | list }} {{ 'abc' | first }} {{ 'abc' | last }} {{ []|first }}",
            "['a', 'b', 'c'] a c ");
        yield return (
            "{%- set x = [1] -%}\n{%- if x -%}\n  yes\n{%- endif %}\n\ntail\n",
            "yes\ntail");
        yield return ("{{ undef in d }}{{ d.get(undef) }}{{ undef in l }}", "FalseNoneFalse");
    }
}
