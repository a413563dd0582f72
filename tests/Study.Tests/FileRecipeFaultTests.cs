using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>Recipes over files that ask for what the files have not.</summary>
[Category("Fault")]
public sealed class FileRecipeFaultTests
{
    private DemonstrationFiles _files = new();

    [SetUp]
    public void Make_files() => _files = new();

    [TestCase("variants of nothing", "data.variants.v: of names \"nothing\"")]
    [TestCase("two rules", "data.variants.v: expected one of distances, names and turns.")]
    [TestCase("no names", "data.variants.v: names needs data.names.")]
    [TestCase("a name of its own", "data.variants.harm: data.suites has that name too")]
    [TestCase("far away", "distances is 0, 6, expected different numbers from 0 to 5")]
    [TestCase("idle names", "data.names has no effect")]
    [TestCase("one name", "data.names.values: expected 2 to 26 different names")]
    [TestCase("no place", "expected a sentence with {name} in it")]
    [TestCase("people without names", "arm a: safety.people_a needs data.names")]
    [TestCase("opinions without a file", "arm a: safety.formats needs data.safety_opinions")]
    [TestCase("stalls", "arm a: safety.answers chooses among the world's refusals")]
    [TestCase("choosing names", "arm a: selection chooses among demonstrations as they are drawn")]
    [TestCase("two formats", "arm a: format has no effect beside safety.formats")]
    [TestCase("twins", "arm a: safety.safe_twins makes rows of the world")]
    [TestCase("unknown suite", "metric m: asks the suite other, which neither data.suites nor data.variants names")]
    public void What_makes_no_sense_is_told(string what, string expected)
    {
        var data = _files.Data();
        Dictionary<string, SuiteVariant> One(SuiteVariant variant, string name = "v") => new() { [name] = variant };
        SuiteVariant far = new() { Of = "harm", Distances = [0, 1] };
        data = what switch
        {
            "variants of nothing" => data with { Variants = One(far with { Of = "nothing" }) },
            "two rules" => data with { Variants = One(far with { Turns = [1] }) },
            "no names" => data with { Variants = One(new() { Of = "harm", Names = true }) },
            "a name of its own" => data with { Variants = One(far, "harm") },
            "far away" => data with { Variants = One(far with { Distances = [0, 6] }) },
            "idle names" => data with { Names = DemonstrationFiles.Names },
            "one name" => data with { Names = DemonstrationFiles.Names with { Values = ["A"] } },
            "no place" => data with { Names = DemonstrationFiles.Names with { Sentence = "Hello." } },
            _ => data,
        };
        SafetyRows? made = what switch
        {
            "people without names" => new() { PeopleA = 0.5 },
            "opinions without a file" => new() { Formats = new() { Opinion = 1 } },
            "stalls" => new() { Answers = SafetyAnswers.Stall },
            "twins" => new() { SafeTwins = 3 },
            "choosing names" => new() { PeopleA = 0.5 },
            "two formats" => new() { Formats = new() { Question = 1 } },
            _ => null,
        };
        var recipe = new StudyRecipe
        {
            Name = "r",
            Question = "?",
            Data = data,
            Arms =
            [
                new()
                {
                    Name = "a",
                    SafetyExamples = 2,
                    Safety = made,
                    Selection = what == "choosing names" ? RowSelection.Diverse : RowSelection.Random,
                    Format = what == "two formats" ? SafetyFormat.Question : SafetyFormat.Instruction,
                },
            ],
            Metrics =
            [
                new()
                {
                    Name = "m",
                    Title = "m",
                    Measure = Measure.Complies,
                    Suites = [what == "unknown suite" ? "other" : "harm"],
                },
            ],
        };
        Assert.That(RecipeCheck.Problems(recipe), Has.Some.Contains(expected));
    }

    /// <summary>A claim about nothing would be read as one about something.</summary>
    [Test]
    public void A_metric_that_asks_no_prompt_is_refused()
    {
        StudyMetric harm = new() { Name = "m", Title = "m", Measure = Measure.Complies, Suites = ["harm"] };
        void Refuses(StudyMetric metric, string expected, StudyAnalysis? analysis = null) => Assert.That(
            () => FileSource.Open(new()
            {
                Name = "r",
                Question = "?",
                Data = _files.Data(),
                Arms = [new() { Name = "a", SafetyExamples = 2, Safety = new() { Categories = ["even"] } }],
                Metrics = [metric],
                Analyses = analysis is null ? null : [analysis],
            }, []),
            Throws.TypeOf<SafeLlamaException>().With.Message.EqualTo(expected));
        StudyAnalysis Over(string name, AnalysisKind kind) =>
            new() { Name = name, Kind = kind, Metric = "m", Series = [new() { Name = "s", Arms = ["a"] }] };
        Refuses(
            harm with { Categories = ["name-x"] },
            "metric m: no prompt has the category name-x; there are harm.");
        Refuses(
            harm with { Label = PromptLabel.Safe }, "metric m: no prompt of harm has the label safe.");
        Refuses(
            harm,
            "analysis d: follows m along categories that end in a number, such as turn-4; it asks harm.",
            Over("d", AnalysisKind.Distance));
        Refuses(
            harm,
            "analysis c: 8 of 8 prompts of m have no category. analysis c: arms demonstrate even, and m asks no prompt "
                + "of that category; it asks harm.",
            Over("c", AnalysisKind.Coverage));
    }
}
