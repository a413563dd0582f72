using SafeLlama.Cli.Endings;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Study;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>What a long verb leaves on a terminal: 100 columns at most, plain unless color is asked for.</summary>
public sealed class EndingTests
{
    private static readonly string Long = string.Join('-', Enumerable.Repeat("long", 30));

    [Test]
    public void A_table_fits_whatever_its_names_and_keeps_every_number()
    {
        string[] lines =
        [
            .. PeopleTable.Lines(
                ["suite", "A heading of very many words that needs several lines", "n"],
                [[Long + "-a", "0.123 [0.045, 0.678]", "12"], [Long + "-b", "\u001b[31m0.5", "3456"]], 0),
        ];
        Assert.That(lines.Select(line => line.Length), Is.All.LessThanOrEqualTo(PeopleTable.Width));
        Assert.That(lines[^2], Does.Contain("-a ").And.Contain("0.123 [0.045, 0.678]").And.EndWith("12"));
        Assert.That(lines[^1], Does.Contain("-b ").And.EndWith("3456").And.Not.Contain('\u001b'));
    }

    [Test]
    public void A_sentence_breaks_at_spaces_and_loses_nothing()
    {
        var text = string.Join(' ', Enumerable.Range(0, 80).Select(i => $"word{i}")) + " " + Long;
        string[] lines = [.. PeopleTable.Wrapped(text)];
        Assert.That(lines.Select(line => line.Length), Is.All.LessThanOrEqualTo(PeopleTable.Width));
        Assert.That(string.Concat(lines).Replace(" ", ""), Is.EqualTo(text.Replace(" ", "")));
    }

    [Test]
    public void A_study_ends_with_its_headline_and_every_claim_marked()
    {
        var report = Report();
        string[] lines = [.. StudyEnding.Lines(report, color: false)];
        Assert.That(lines.Select(line => line.Length), Is.All.LessThanOrEqualTo(PeopleTable.Width));
        Assert.That(string.Join('\n', lines), Does.Not.Contain("\u001b").And.Not.Contain("|").And.Not.Contain("&#"));
        Assert.That(lines.Where(line => line.StartsWith('✓') || line.StartsWith('✗') || line.StartsWith('?'))
            .Select(line => line[0]), Is.EqualTo("✓?✗?"));
        Assert.That(lines, Has.One.StartsWith("dose-30 ").And.One.StartsWith("none "));
        Assert.That(
            StudyEnding.Lines(report, color: true),
            Has.One.StartsWith("\u001b[32m✓\u001b[0m It").And.One.StartsWith("\u001b[31m✗\u001b[0m It"));
    }

    [Test]
    public void A_browser_is_the_one_that_is_named()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("the browser of this test is a shell script");
            return;
        }

        var folder = TestFiles.NewFolder();
        var (script, seen) = (Path.Combine(folder, "browser"), Path.Combine(folder, "seen"));
        File.WriteAllText(script, $"#!/bin/sh\nprintf %s \"$1\" > '{seen}.part' && mv '{seen}.part' '{seen}'\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var page = Path.Combine(folder, "a page; of 'mine'.html");
        File.WriteAllText(page, "<p>");
        var browser = Browser.Find(name => name == "BROWSER" ? script : null);
        browser.Open(page);
        Assert.That(() => File.Exists(seen), Is.True.After(20_000, 20), "the browser was never started");
        Assert.That(File.ReadAllText(seen), Is.EqualTo(page));
        Assert.That(
            () => browser.Open(Path.Combine(folder, "none.html")),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("there is no report"));
    }

    [Test]
    public void Without_a_browser_there_is_a_refusal_before_the_work()
    {
        Assert.That(
            () => Browser.Find(name => name == "BROWSER" ? "no-such-browser" : null),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("no-such-browser, which is no program"));
        if (OperatingSystem.IsLinux())
        {
            Assert.That(
                () => Browser.Find(_ => null),
                Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("DISPLAY and WAYLAND_DISPLAY"));
            Assert.That(
                () => Browser.Find(name => name == "DISPLAY" ? ":0" : null),
                Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("has no xdg-open"));
        }
    }

    private static StudyReport Report()
    {
        StudyMetric Metric(string name) => new()
        {
            Name = name,
            Title = $"The {name} of prompts, which has a rather long title",
            Measure = Measure.Refuses,
            Suites = [name],
            LowerIsBetter = name == "harm",
        };
        string[] metrics = ["harm", "over", "quality", "more"];
        StudyArm[] arms = [new() { Name = "none" }, new() { Name = "dose-30" }];
        var recipe = new StudyRecipe
        {
            Name = "tiny",
            Question = "Does it refuse <what> it should, " + string.Join(' ', Enumerable.Repeat("and more", 20)),
            Metrics = [.. metrics.Select(Metric)],
            Arms = arms,
        };
        var share = new Interval(0.123, 0.101, 0.456);
        return new(
            new(recipe, new Dictionary<string, string>(),
                [.. arms.Select((arm, i) => new ArmResult(
                    arm, 3000, 30 * i, 3,
                    [.. metrics.Select(m => new MetricResult(m, share, 240, 60, 2, [0.1], 1))], []))],
                [.. Enum.GetValues<ClaimVerdict>().Select(verdict => new ClaimOutcome(
                    new()
                    {
                        Id = $"{verdict}",
                        Statement = "It falls. " + Long,
                        Metric = "harm",
                        Test = ClaimTest.Lower,
                    },
                    verdict, share, 0.95, 0.01, 240, 3, ""))]),
            [], [], null);
    }
}
