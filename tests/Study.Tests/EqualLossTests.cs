using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>A study that compares bases at one loss: what it says of bases that are not.</summary>
public sealed class EqualLossTests
{
    private static readonly StudyRecipe Recipe = RecipeFile.Read("safety-dose.yaml") with
    {
        Models = ["one", "two"],
        Seeds = [1],
        Data = new StudyData { World = new WorldDials { BenignExamples = 300 }, Draw = WorldDraw.Test },
        Evidence = new StudyEvidence { Models = 2, Seeds = 1, BaseLossWithin = 0.05 },
    };

    private static string Base(double? loss)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(
            Path.Combine(folder, "made.json"),
            loss is null ? "{}" : FormattableString.Invariant($$"""{"validation_loss": {{loss}}}"""));
        return folder;
    }

    private static StudyRecipe Bound(double? first, double? second)
    {
        var (one, two) = (Base(first), Base(second));
        return BaseWorld.Bind(Recipe, model => model == "one" ? one : two);
    }

    [Test]
    public void Equal_losses_are_named_and_leave_nothing_open()
    {
        var recipe = Bound(0.9, 0.94);
        Assert.That(StudyAnswer.Open(recipe), Is.Null);
        var results = ResultsBuilder.Build(recipe, 300, new Outcomes([]), new Dictionary<string, string>());
        Assert.That(StudyAnswer.Scope(results), Does.Contain("one at loss 0.900, two at loss 0.940"));
    }

    [TestCase(0.8, 0.9, "from 0.800 to 0.900, where 0.05 between them is asked for")]
    [TestCase(0.9, null, "loss of two is not recorded")]
    public void Other_losses_leave_every_claim_open(double? first, double? second, string reason)
    {
        var recipe = Bound(first, second);
        Assert.That(StudyAnswer.Open(recipe), Does.Contain(reason));
        var source = new FewPrompts(new WorldSource(recipe.Data), every: 20);
        var run = new StudyRunner(recipe, source, new MadeUpEngine(source)).Run(TestFiles.NewFolder(), resume: false);
        Assert.That(run.Results.Claims.Select(c => c.Verdict), Is.All.EqualTo(ClaimVerdict.CannotTell));
    }

    [Test]
    public void A_recipe_that_does_not_ask_for_it_reads_no_losses() =>
        Assert.That(BaseWorld.Bind(Recipe with { Evidence = null }, _ => Base(0.9)).BaseLosses, Is.Null);
}
