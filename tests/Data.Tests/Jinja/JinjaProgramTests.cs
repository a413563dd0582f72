using SafeLlama.Common;

namespace SafeLlama.Data.Tests;

public sealed class JinjaProgramTests
{
    private static readonly DateTime Today = new(2024, 7, 26, 0, 0, 0, DateTimeKind.Unspecified);

    /// <summary>What the templates of <see cref="JinjaCases"/> may read; every text is a message's.</summary>
    public static IReadOnlyDictionary<string, object?> Variables { get; } = new Dictionary<string, object?>
    {
        ["messages"] = new JinjaList([Message("user", " Hi \n"), Message("assistant", "Hello")]),
        ["s"] = Text("aXbXc"),
        ["n"] = 7L,
        ["neg"] = -7L,
        ["f"] = 1.5,
        ["l"] = new JinjaList([3L, 1L, 2L, 2L]),
        ["d"] = JinjaDict.Of(("a", 1L), ("b", new JinjaList([1L, Text("x")]))),
        ["t"] = true,
        ["z"] = null,
        ["e"] = Text(""),
        ["uni"] = Text("héß😀x"),
        ["long"] = Text("one two  three\nfour"),
    };

    [Test]
    public void Templates_render_as_Jinja2_renders_them() => Assert.Multiple(() =>
    {
        foreach (var (source, expected) in JinjaCases.All())
        {
            Assert.That(Render(source), Is.EqualTo(expected), source);
        }
    });

    [TestCase("a\n{{ undef.x }}", "line 2, column 9: 'undef' is undefined")]
    [TestCase("{{ undef + 'a' }}", "line 1, column 10: 'undef' is undefined")]
    [TestCase("{{ 'a' + 1 }}", "line 1, column 8: '+' does not go with a string and a whole number")]
    [TestCase("{{ l.append(4) }}", "the method 'append' of lists is not supported")]
    [TestCase("{{ [1] + (2,) }}", "'+' does not go with a list and a tuple")]
    [TestCase("{{ 5|length }}", "the filter length needs a text, a list or a dictionary, found a whole number")]
    [TestCase("{{ 1 // 0 }}", "division by 0")]
    [TestCase("{{ 9223372036854775807 + 1 }}", "the result is beyond 64 bits")]
    [TestCase("{{ 9223372036854775808 }}", "the number is beyond 64 bits")]
    [TestCase("{{ [1, 'a']|sort }}", "a string cannot be compared with a whole number")]
    [TestCase("{{ s.zfill(3) }}", "the method 'zfill' of strings is not supported")]
    [TestCase("{{ {[1]: 2} }}", "a list cannot be a key of a dictionary")]
    [TestCase("{% set s.x = 1 %}", "line 1, column 8: 's' is no namespace")]
    [TestCase("{{ s.replace('a') }}", "replace needs the argument 'new'")]
    [TestCase("{{ s.strip(chars='a', bytes=1) }}", "strip knows no argument 'bytes'")]
    [TestCase("{{ range(100001)|length }}", "range makes more than 100,000 numbers")]
    [TestCase("{% set a, b = l %}", "2 names are given 4 values")]
    [TestCase("{{ namespace }}", "a function has no text")]
    [TestCase("{{ n() }}", "a whole number cannot be called")]
    [TestCase("{{ {'a': s.strip}|tojson }}", "a function cannot be written as JSON")]
    public void A_value_that_does_not_suit_is_refused_with_its_place(string source, string expected) =>
        Assert.That(Fault(source), Does.Contain(expected).And.StartsWith("test.jinja, line "));

    [TestCase("a\n {% include 'x' %}", "line 2, column 5: the statement 'include' is not supported")]
    [TestCase("{{ s|escape }}", "line 1, column 6: the filter 'escape' is not supported")]
    [TestCase("{{ s is filter }}", "line 1, column 9: the test 'filter' is not supported")]
    [TestCase("{% if n %}", "line 1, column 4: the block 'if' is not closed; expected '{% endif %}'")]
    [TestCase("{% for x in l %}{% endif %}", "found 'endif', expected else or endfor")]
    [TestCase("{% endif %}", "'endif' closes nothing that is open")]
    [TestCase("{{ n", "the tag is not closed; expected '}}'")]
    [TestCase("{# n", "the comment is not closed; expected '#}'")]
    [TestCase("{% raw %}a", "the raw block is not closed")]
    [TestCase("{{ 'a }}", "the string is not closed")]
    [TestCase("{{ n ? 1 }}", "the character '?' begins nothing that Jinja knows")]
    [TestCase("{{ (n }}", "'}' closes nothing that is open")]
    [TestCase("{{ n[1 2] }}", "found '2', expected ']'")]
    [TestCase("{{ }}", "found '}}', expected an expression")]
    [TestCase("{% for x in l recursive %}{% endfor %}", "recursive loops are not supported")]
    [TestCase("{% break %}", "'break' stands outside a loop")]
    [TestCase("{% set none = 1 %}", "'none' cannot be assigned to")]
    [TestCase("{{ f(*l) }}", "unpacked arguments (* and **) are not supported")]
    [TestCase("{{ '\\N{DASH}' }}", "the escape \\N is not supported")]
    public void A_source_that_is_not_supported_is_refused_with_its_place(string source, string expected) =>
        Assert.That(Fault(source), Does.Contain(expected).And.StartsWith("test.jinja, line "));

    [Test]
    public void A_template_refuses_a_conversation_in_its_own_words() => Assert.That(
        Fault("{{ raise_exception('Roles must\nalternate') }}"),
        Is.EqualTo("test.jinja: the chat template refuses this conversation: Roles must\\u000aalternate"));

    [TestCase("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [TestCase("{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "8,000,000 characters")]
    [TestCase("{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "steps")]
    [TestCase("{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "goes deeper than 200 levels")]
    [TestCase("{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}"
        + "{{ ns.x == [ns.x] }}{{ ns.x|tojson }}", "goes deeper than 200 levels")]
    [TestCase("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "goes deeper than 200 levels")]
    [TestCase("{{ 'a' * 9999999999 }}", "steps")]
    [TestCase("{{ ('a' * 9999) * 9999 }}", "8,000,000 characters")]
    [TestCase("{{ [1] * 9999999999 }}", "steps")]
    [TestCase("{{ l|tojson(indent=9999999999) }}", "8,000,000 characters")]
    [TestCase("{{ s|indent(9999999999) }}", "8,000,000 characters")]
    [TestCase("{{ ('a' * 7000000).split('a')|length }}", "steps")]
    [TestCase("{% set x = 'a' * 99999 %}{% for i in range(9999) %}{% set y = x|upper %}{% endfor %}",
        "64,000,000 characters")]
    public void Work_without_end_is_refused(string source, string expected) =>
        Assert.That(Fault(source), Does.Contain(expected));

    [TestCase("(", ")")]
    [TestCase("[", "]")]
    [TestCase("- ", "")]
    [TestCase("not ", "")]
    [TestCase("{1:", "}")]
    [TestCase("l[", "]")]
    [TestCase("l if l else ", "")]
    public void Nesting_without_end_is_refused(string open, string close)
    {
        var source = "{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1"
            + string.Concat(Enumerable.Repeat(close, 50_000)) + " }}";

        Assert.That(Fault(source), Does.Contain("deeper than"));
    }

    [Test]
    public void A_long_chain_of_sums_is_refused_not_followed_into_the_stack() =>
        Assert.That(
            Fault("{{ " + string.Join('+', Enumerable.Repeat("1", 50_000)) + " }}"), Does.Contain("deeper than"));

    [Test]
    public void Every_character_of_a_message_is_known_through_every_operation()
    {
        string[] operations =
        [
            "s", "s|trim", "s.strip('a')", "s[1:]", "s[::-1]", "s + 'z'", "'z' ~ s", "s|upper", "s|title", "s.title()",
            "s|replace('X', 'z')", "s.split('X')|join('z')", "s.split()|first", "s|reverse", "s|list|join",
            "[s]|string",
            "{'k': s}|tojson", "s|tojson", "'%s' % s", "'{}'.format(s)", "s * 2", "s|indent", "s.partition('X')|last",
            "s|default('z')", "s.removeprefix('a')", "s.splitlines()|first", "s[0]", "s|first", "[s]|map('trim')|join",
            "(s ~ 'z').rsplit('X', 1)|last", "s|capitalize", "d.b|join", "[s]|unique|join", "[s, 'z']|sort|join",
        ];
        foreach (var operation in operations)
        {
            var text = JinjaProgram.Parse("{{ " + operation + " }}", "test.jinja").Render(Variables, Today).Text;
            for (var i = 0; i < text.Value.Length; i++)
            {
                // Of the letters, only z is the template's: the sources above write no other.
                var isMessage = "aXbcABCx".Contains(text.Value[i], StringComparison.Ordinal);
                Assert.That(text.Origin(i), Is.EqualTo(isMessage ? 1 : 0), $"{operation}: {text.Value}, place {i}");
            }
        }
    }

    [Test]
    public void Generation_spans_are_places_in_the_text()
    {
        var rendered = JinjaProgram.Parse(
            "{% for m in messages %}<{% generation %}{{ m.content|trim }}.{% endgeneration %}>{% endfor %}",
            "test.jinja")
            .Render(Variables, Today);

        Assert.That(
            rendered.Generations.Select(span => rendered.Text.Value[span.Start..span.End]),
            Is.EqualTo(new[] { "Hi.", "Hello." }));
    }

    private static string Render(string source) =>
        JinjaProgram.Parse(source, "test.jinja").Render(Variables, Today).Text.Value;

    private static string Fault(string source)
    {
        var fault = Assert.Throws<SafeLlamaException>(() => Render(source))!;
        Assert.That(fault.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(fault.Message, Does.Not.Contain('\n'));
        return fault.Message;
    }

    private static MarkedText Text(string text) => new(text, 1);

    private static JinjaDict Message(string role, string content) =>
        JinjaDict.Of(("role", new MarkedText(role)), ("content", Text(content)));
}
