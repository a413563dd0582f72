using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

public sealed class BaseWorldTests
{
    private static readonly StudyRecipe Plain = RecipeFile.Read("safety-dose.yaml");

    [Test]
    public void The_shipped_base_binds_the_default_study_to_what_it_was() => Assert.That(
        StudyJsonOf(BaseWorld.Bind(Plain, MiniatureModel.FolderOf)), Is.EqualTo(StudyJsonOf(Plain)));

    [Test]
    public void A_wide_base_brings_its_world_and_rows_that_are_never_cut()
    {
        var bound = BaseWorld.Bind(Plain, _ => Folder(WorldDials.Wide));
        Assert.That(bound.Data.World!.Wider, Is.EqualTo(WorldDials.Wide.Wider));
        Assert.That(bound.Training.MaxLength, Is.EqualTo(256));
    }

    [Test]
    public void A_recipe_that_asks_for_kinds_never_read_is_refused_with_the_way_out()
    {
        var people = Plain.Arms[1] with { Safety = new() { PeopleA = 0.5 } };
        Assert.That(
            () => BaseWorld.Bind(Plain with { Arms = [people] }, MiniatureModel.FolderOf),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("people_a").And.Message.Contains("dose-30")
                .And.Message.Contains("miniature").And.Property(nameof(SafeLlamaException.Code))
                .EqualTo(ExitCode.Usage));
        var metric = Plain.Metrics[0] with { Suites = ["turns-unsafe"] };
        Assert.That(
            () => BaseWorld.Bind(Plain with { Metrics = [metric] }, MiniatureModel.FolderOf),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("turns-unsafe"));
    }

    [Test]
    public void Bases_of_different_worlds_are_refused_together()
    {
        var folders = new Dictionary<string, string>
        {
            ["one"] = Folder(new WorldDials()),
            ["other"] = Folder(WorldDials.Wide),
        };
        Assert.That(
            () => BaseWorld.Bind(Plain with { Models = ["one", "other"] }, model => folders[model]),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("different worlds"));
    }

    [Test]
    public void A_world_seed_other_than_the_bases_is_refused() => Assert.That(
        () => BaseWorld.Bind(
            Plain with { Data = Plain.Data with { World = new() { Seed = 5 } } }, MiniatureModel.FolderOf),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains("seed is 5"));

    [TestCase(nameof(WorldDials.PretrainingTokens), "pretraining_tokens is 9, which decides what a base reads")]
    [TestCase(nameof(WorldDials.SafeScaryTexts), "safe_scary_texts is 0.3")]
    [TestCase(nameof(WorldDials.SafePairCoverage), "safe_pair_coverage is 0.9")]
    public void Dials_of_texts_that_a_base_has_not_read_are_refused(string dial, string expected)
    {
        var dials = dial switch
        {
            nameof(WorldDials.PretrainingTokens) => new WorldDials { PretrainingTokens = 9 },
            nameof(WorldDials.SafeScaryTexts) => new() { SafeScaryTexts = 0.3 },
            _ => new() { SafePairCoverage = 0.9 },
        };
        Assert.That(
            () => BaseWorld.Bind(Plain with { Data = Plain.Data with { World = dials } }, MiniatureModel.FolderOf),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected).And.Message.Contains("miniature"));
    }

    [Test]
    public void Dials_of_tuning_rows_are_the_recipes_own()
    {
        var bound = BaseWorld.Bind(
            Plain with { Data = Plain.Data with { World = new() { BenignExamples = 50 } } }, MiniatureModel.FolderOf);
        Assert.That(bound.Data.World!.BenignExamples, Is.EqualTo(50));
    }

    private static string Folder(WorldDials dials)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(
            Path.Combine(folder, "made.json"),
            $"{{\"seed\":1,\"dials\":{System.Text.Json.JsonSerializer.Serialize(dials, StudyJson.Line)}}}");
        return folder;
    }

    private static string StudyJsonOf(StudyRecipe recipe) =>
        System.Text.Json.JsonSerializer.Serialize(recipe, StudyJson.Document);
}
