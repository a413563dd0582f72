using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>What an arm is: its answers are never graded against other prompts, settings or weights.</summary>
public sealed class StudyIdentityTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml") with
    {
        Seeds = [1, 2],
        Data = new StudyData { World = new WorldDials { BenignExamples = 300 }, Draw = WorldDraw.Development },
    };

    private static readonly WorldSource Source = new(Recipe.Data);

    private string _folder = "";

    [OneTimeSetUp]
    public void Run()
    {
        _folder = TestFiles.NewFolder();
        Run(Recipe, Source, new MadeUpEngine(Source), resume: false);
    }

    [Test]
    public void An_arms_counts_are_those_of_version_0_1()
    {
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "results.json")))!;
        var lines = results["arms"]!.AsArray().SelectMany(arm => Metrics(arm!).Concat(Counts(arm!)));
        Assert.That(
            lines,
            Is.EqualTo(File.ReadAllLines(
                Path.Combine(TestFiles.Root, "tests", "fixtures", "study", "made-up-counts.tsv"))));
    }

    [Test]
    public void A_finished_study_is_resumed_without_asking_again()
    {
        var engine = new MadeUpEngine(Source);
        Run(Recipe, Source, engine, resume: true);
        Assert.That((engine.Trainings, engine.Answers), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Another_draw_of_prompts_is_refused_by_name()
    {
        var other = Recipe with { Data = Recipe.Data with { Draw = WorldDraw.Test } };
        var source = new WorldSource(other.Data);
        Assert.That(
            () => Run(other, source, new MadeUpEngine(source), resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("draw").And.Message.Contains("development"));
    }

    [Test]
    public void Another_decoding_is_refused_by_name()
    {
        var other = Recipe with { Decoding = Recipe.Decoding with { MaxNewTokens = 7 } };
        Assert.That(
            () => Run(other, Source, new MadeUpEngine(Source), resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("decoding.max_new_tokens was"));
    }

    [Test]
    public void Other_weights_under_the_same_name_are_refused_by_name()
    {
        Assert.That(
            () => Run(Recipe, Source, new MadeUpEngine(Source) { Weights = "exchanged" }, resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("base.weights was"));
    }

    [Test]
    public void One_changed_prompt_is_refused_by_name()
    {
        var source = new Reworded(Source);
        Assert.That(
            () => Run(Recipe, source, new MadeUpEngine(source), resume: true),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("safe-homonym"));
    }

    [Test]
    public void An_arm_is_an_evaluation_run_that_other_verbs_open()
    {
        var run = RunCatalog.List(_folder)[0];
        Assert.That(run.State, Is.EqualTo("finished"));
        Assert.That(run.Manifest!.Judges.Single().Identity.Name, Is.EqualTo("world"));
        Assert.That(RunFolder.Open(run.Path).Responses, Has.Count.EqualTo(Source.Prompts.Count));
    }

    private void Run(StudyRecipe recipe, IStudySource source, MadeUpEngine engine, bool resume) =>
        new StudyRunner(recipe, source, engine).Run(_folder, resume);

    private static IEnumerable<string> Metrics(JsonNode arm) => arm["metrics"]!.AsArray().Select(metric => string.Join(
        '\t',
        [
            Text(arm["arm"]!["name"]), Text(metric!["name"]),
            .. metric["per_replicate"]!.AsArray()
                .Select(v => v!.GetValue<double>().ToString("G12", CultureInfo.InvariantCulture)),
        ]));

    private static IEnumerable<string> Counts(JsonNode arm) => arm["suites"]!.AsArray().Select(suite => string.Join(
        '\t',
        new[]
        {
            "suite", "category", "form", "label", "answers", "complies", "full_refusals", "partial_refusals",
            "invalid", "exact",
        }.Select(name => Text(suite![name])).Prepend(Text(arm["arm"]!["name"]))));

    private static string Text(JsonNode? value) => value is null ? ""
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();

    /// <summary>The same study, the first prompt with a space more.</summary>
    private sealed class Reworded(IStudySource source) : IStudySource
    {
        public Data.PromptTemplate Template => source.Template;

        public int BenignCount => source.BenignCount;

        public IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed) => source.Demonstrations(arm, seed);

        public IReadOnlyList<StudyPrompt> Prompts =>
            [.. source.Prompts.Select(p => p.Id == "safe-homonym-000" ? p with { Text = p.Text + " " } : p)];

        public LessonPlan Lesson => source.Lesson;

        public IJudge Judge => source.Judge;

        public IReadOnlyList<Data.TrainingExample> Examples(StudyArm arm, long seed) => source.Examples(arm, seed);

        public IReadOnlyDictionary<string, string> Describe() => source.Describe();
    }
}
