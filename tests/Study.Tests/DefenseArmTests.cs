using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

/// <summary>Defenses as fields of an arm.</summary>
public sealed class DefenseArmTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml");

    /// <summary>Trains in earnest, a few steps: each defense takes the arm elsewhere than without.</summary>
    [Test]
    public void Every_defense_of_an_arm_trains_and_does_something()
    {
        StudyArm Arm(string name, StudyDefense? defense) =>
            new() { Name = name, SafetyExamples = 8, Defense = defense };
        var recipe = Recipe with
        {
            Models = [TinyModel.Folder],
            Data = new StudyData { World = new WorldDials { BenignExamples = 40 }, Draw = WorldDraw.Development },
            Training = Recipe.Training with { Epochs = 1, BatchSize = 8, WarmupSteps = Amount.Count(0) },
            Decoding = new StudyDecoding { MaxNewTokens = 2 },
            Arms =
            [
                Arm("plain", null), Arm("recovery", new() { Recovery = new(5), Pairs = 8 }),
                Arm("constrained", new() { Constrained = new() }), Arm("lisa", new() { Lisa = new(1, 1, 2) }),
                Arm("booster", new() { Booster = new(), Pairs = 8 }),
            ],
            Claims = [],
        };
        var study = new StudyRunner(
            recipe, new WorldSource(recipe.Data), new LlamaEngine(() => new Kernels.CpuBackend(1), MiniatureModel.FolderOf));
        Assert.That(
            study.Jobs.Single(job => job.Arm.Name == "lisa").SafetyIds, Has.Count.EqualTo(8));
        var done = study.Run(Path.Combine(TestFiles.NewFolder(), "study"), resume: false);
        Assert.That(done.Replicates.Select(r => r.Training.AdapterHash).Distinct().Count(), Is.EqualTo(5));
    }

    [TestCase("names none of recovery")]
    [TestCase("recovery and booster read pairs")]
    [TestCase("pairs has no effect")]
    [TestCase("takes turns with safety demonstrations")]
    [TestCase("each changes what a step does")]
    [TestCase("is untrained")]
    public void A_defense_that_makes_no_sense_is_refused(string problem)
    {
        var arm = Recipe.Arms.Single(a => a.Name == "dose-90");
        var wrong = problem.Split(' ')[0] switch
        {
            "names" => arm with { Defense = new() },
            "recovery" => arm with { Defense = new() { Booster = new() } },
            "pairs" => arm with { Defense = new() { Constrained = new(), Pairs = 3 } },
            "takes" => arm with { SafetyExamples = 0, Defense = new() { Lisa = new() } },
            "each" => arm with { Defense = new() { Lisa = new(), Constrained = new() } },
            _ => arm with { Untrained = true, Defense = new() { Constrained = new() } },
        };
        var problems = RecipeCheck.Problems(Recipe with { Arms = [.. Recipe.Arms.Select(a => a == arm ? wrong : a)] });
        Assert.That(string.Join(" ", problems), Does.Contain(problem));
    }
}
