using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

public sealed class SafeTextTests
{
    [TestCaseSource(typeof(SafeOutput), nameof(SafeOutput.Names))]
    public void Every_form_makes_every_name_harmless(string name)
    {
        SafeOutput.MustBeVisible(SafeText.ForTerminal(name));
        SafeOutput.MustBeVisible(SafeText.ForTerminalCell(name));
        Assert.That(SafeText.ForTerminalCell(name), Does.Not.Contain("\n").And.Not.Contain("\t"));
        SafeOutput.MustBeMarkdown($"| a |\n|---|\n| {SafeText.ForMarkdown(name)} |\n");
        SafeOutput.MustBeCsv($"a\n\"{SafeText.ForCsv(name).Replace("\"", "\"\"")}\"\n");
        SafeOutput.MustBeVisible(SafeText.ForHtml(name));
        Assert.That(SafeText.ForHtml(name), Does.Not.Contain("<"));
    }

    [TestCase("harmbench_val")]
    [TestCase("Suite 1 (safe), 95%")]
    [TestCase("Ünïcødé 安全 👩‍🚀")]
    public void An_honest_name_stays_as_it_is(string name)
    {
        Assert.That(SafeText.ForTerminal(name), Is.EqualTo(name));
        Assert.That(name.Contains('‍') || SafeText.ForCsv(name) == name);
        Assert.That(name.Contains('‍') || SafeText.ForMarkdown(name) == name);
    }

    [TestCase("-0.25")]
    [TestCase("1E-05")]
    public void A_number_stays_a_number_in_csv(string number) =>
        Assert.That(SafeText.ForCsv(number), Is.EqualTo(number));

    [Test]
    public void Json_on_a_terminal_stays_the_json_it_was() =>
        Assert.That(
            System.Text.Json.JsonSerializer.Deserialize<string>(SafeText.ForTerminal("\"a\u202eb\u0085\"")),
            Is.EqualTo("a\u202eb\u0085"));

    [Test]
    public void A_page_shows_hidden_characters_that_an_encoder_wrote_by_number() =>
        Assert.That(SafeText.ForHtmlPage("<b>&#x202E;a&#xE9;&#xA;</b>"), Is.EqualTo("<b>⟨U+202E⟩a&#xE9;&#xA;</b>"));
}
