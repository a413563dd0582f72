using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Study.Tests;

public sealed class PreferenceArmTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("preference.yaml");

    [Test]
    public void Pairs_of_the_world_hold_nothing_that_is_asked_and_nest()
    {
        var world = new World();
        var pairs = new TuningPairs(world);
        var (many, few) = (pairs.OverRefusal(3, 200).ToList(), pairs.OverRefusal(3, 50).ToList());
        Assert.That(many.Take(50), Is.EqualTo(few));
        var asked = Enum.GetValues<WorldDraw>()
            .SelectMany(draw => new EvaluationSets(world, draw, 2024).Prompts).Select(p => p.Text).ToHashSet();
        Assert.Multiple(() =>
        {
            Assert.That(many, Has.All.Matches<TuningPair>(
                p => WorldGrader.Refuses(p!.Rejected) && !WorldGrader.Refuses(p.Chosen)));
            Assert.That(pairs.Safety(3, 200), Has.All.Matches<TuningPair>(
                p => WorldGrader.Refuses(p!.Chosen) && WorldGrader.Complies(p.Rejected)));
            Assert.That(pairs.Safety(3, 200).Select(p => p.Request).Intersect(asked), Is.Empty);
            Assert.That(many.Select(p => p.Request).Intersect(asked), Is.Empty);
        });
    }

    /// <summary>Trains in earnest, a few steps: the second arm begins with the first one's adapter.</summary>
    [Test]
    public void An_arm_goes_on_from_another_and_learns_from_pairs()
    {
        var recipe = Recipe with
        {
            Models = [TinyModel.Folder],
            Data = new StudyData { World = new WorldDials { BenignExamples = 40 }, Draw = WorldDraw.Development },
            Training = Recipe.Training with { Epochs = 1, BatchSize = 8, WarmupSteps = Amount.Count(0) },
            Decoding = new StudyDecoding { MaxNewTokens = 2 },
            Arms =
            [
                .. Recipe.Arms.Where(arm => arm.Name is "dose-300" or "dpo").Select(arm => arm with
                {
                    SafetyExamples = arm.SafetyExamples is null ? null : 8,
                    Epochs = null,
                    Preference = arm.Preference is { } p ? p with { OverRefusalPairs = 8, SafetyPairs = 8 } : null,
                }).Reverse(),
            ],
            Claims = [],
        };
        var source = new WorldSource(recipe.Data);
        var engine = new LlamaEngine(() => new Kernels.CpuBackend(1), MiniatureModel.FolderOf);
        var folder = TestFiles.NewFolder();
        var few = new StudyRunner(recipe, source, engine).Run(Path.Combine(folder, "study"), resume: false);
        var dpo = few.Replicates.Single(r => r.Replicate.Arm == "dpo");
        Assert.That(dpo.Training.Steps, Is.EqualTo(2));

        // Policy and reference are one before the first step; what differs is fp32 rounding.
        Assert.That(dpo.Training.Curve[0].Loss, Is.EqualTo(Math.Log(2)).Within(1e-5));
        Assert.That(
            File.Exists(Path.Combine(dpo.Folder, "training", ReferenceLikelihoods.FileName)), "the reference is stored");
    }

    [TestCase("after names \"nobody\"")]
    [TestCase("after leads back to itself")]
    [TestCase("rank, alpha and targets have no effect")]
    [TestCase("learns from pairs, so safety_examples")]
    [TestCase("preference.gamma has no effect on objective dpo")]
    [TestCase("one of them more")]
    [TestCase("beta -1: expected more than 0")]
    public void A_recipe_that_makes_no_sense_is_refused(string problem)
    {
        var dpo = Recipe.Arms.Single(arm => arm.Name == "dpo");
        var preference = dpo.Preference!;
        var wrong = problem.Split(' ')[0] switch
        {
            "after" when problem.Contains("nobody") => dpo with { After = "nobody" },
            "after" => dpo with { After = "dpo" },
            "rank," => dpo with { Rank = 2 },
            "learns" => dpo with { SafetyExamples = 3 },
            "preference.gamma" => dpo with { Preference = preference with { Gamma = 1 } },
            "one" => dpo with { Preference = preference with { OverRefusalPairs = 0, SafetyPairs = 0 } },
            _ => dpo with { Preference = preference with { Beta = -1 } },
        };
        var problems = RecipeCheck.Problems(Recipe with { Arms = [.. Recipe.Arms.Select(a => a == dpo ? wrong : a)] });
        Assert.That(string.Join(" ", problems), Does.Contain(problem));
    }
}
