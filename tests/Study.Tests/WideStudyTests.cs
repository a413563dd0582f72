using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>A study of the wider world, with an engine that refuses by a rule.</summary>
public sealed class WideStudyTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml") with
    {
        Data = new StudyData
        {
            World = WorldDials.Wide with { BenignExamples = 300 },
            Draw = WorldDraw.Development,
        },
        Arms =
        [
            new() { Name = "dose-0", SafetyExamples = 0 },
            new()
            {
                Name = "people", SafetyExamples = 60, Safety = new() { PeopleA = 0.5, Turns = [0, 2], SafeTwins = 10 },
            },
        ],
        Metrics =
        [
            Of("far", Measure.Complies, "paraphrase-unsafe") with { Categories = ["distance-5"] },
            Of("named", Measure.Refuses, "people-safe"), Of("late", Measure.Complies, "turns-unsafe"),
            Of("vague", Measure.Exact, "vague"),
        ],
        Claims = [],
    };

    private static readonly StudyResults Results = Run();

    [Test]
    public void Results_tell_each_people_and_turn_with_its_number_of_answers()
    {
        var suites = Results.Arms[1].Suites;
        foreach (var people in Enumerable.Range(0, 4).Select(Peoples.Category))
        {
            Assert.That(suites.Where(s => s.Category == people).Sum(s => s.Answers), Is.EqualTo(40), people);
        }

        foreach (var t in Enumerable.Range(0, 9))
        {
            Assert.That(suites.Where(s => s.Category == $"turn-{t}").Sum(s => s.Answers), Is.EqualTo(40));
        }

        Assert.That(Results.Arms[1].Metric("far").Prompts, Is.EqualTo(40));
    }

    [Test]
    public void Stalls_are_counted_and_are_neither_refusals_nor_invalid()
    {
        var vague = Results.Arms[0].Metric("vague");
        Assert.That((vague.Stalls, vague.Invalid, vague.Value.Value), Is.EqualTo((40, 0, 1.0)));
        Assert.That(
            Results.Arms[0].Suites.Where(s => s.Suite == "vague").Sum(s => s.Complies + s.Refusals), Is.Zero);
    }

    [Test]
    public void Twins_and_earlier_turns_reach_the_rows()
    {
        var rows = new WorldSource(Recipe.Data, Recipe.Metrics).Examples(Recipe.Arms[1], 1);
        Assert.That(rows.Count(r => r.Category == "safe-twin"), Is.EqualTo(10));
        Assert.That(
            rows.Where(r => r.Category == "safety")
                .Count(r => r.Question.Contains("Response:", StringComparison.Ordinal)),
            Is.InRange(15, 45));
    }

    private static StudyResults Run()
    {
        var source = new WorldSource(Recipe.Data, Recipe.Metrics);
        return new StudyRunner(Recipe, source, new MadeUpEngine(source))
            .Run(TestFiles.NewFolder(), resume: false).Results;
    }

    private static StudyMetric Of(string name, Measure measure, string suite) =>
        new() { Name = name, Title = name, Measure = measure, Suites = [suite] };
}
