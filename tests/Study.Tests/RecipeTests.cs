using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Study.Tests;

public sealed class RecipeTests
{
    [TestCase("safety-dose.yaml", 7)]
    [TestCase("format.yaml", 7)]
    [TestCase("exaggerated-safety.yaml", 7)]
    [TestCase("epochs.yaml", 5)]
    [TestCase("lora-rank.yaml", 7)]
    [TestCase("prototype.yaml", 10)]
    [TestCase("real/paper-small.yaml", 4)]
    [TestCase("real/paper-7b.yaml", 7)]
    [TestCase("real/amount.yaml", 13)]
    [TestCase("real/size.yaml", 5)]
    [TestCase("real/prompt-types.yaml", 11)]
    [TestCase("real/robustness.yaml", 3)]
    [TestCase("real/bias.yaml", 6)]
    [TestCase("real/diversity.yaml", 10)]
    [TestCase("real/format-boundary.yaml", 6)]
    [TestCase("real/long-run.yaml", 9)]
    [TestCase("amount.yaml", 34)]
    [TestCase("size.yaml", 5)]
    [TestCase("size-equal-loss.yaml", 5)]
    [TestCase("prompt-types.yaml", 23)]
    [TestCase("robustness.yaml", 6)]
    [TestCase("attack-sweep.yaml", 5)]
    [TestCase("bias.yaml", 6)]
    [TestCase("diversity.yaml", 14)]
    [TestCase("format-boundary.yaml", 6)]
    [TestCase("long-run.yaml", 27)]
    public void Every_shipped_recipe_is_sound(string file, int arms)
    {
        var recipe = RecipeFile.Read(file);
        Assert.That(recipe.Arms, Has.Count.EqualTo(arms));
        Assert.That(recipe.Claims, Is.Not.Empty);
        Assert.That(Path.ChangeExtension(file, null), Is.EqualTo(recipe.Name));
    }

    /// <summary>What an arm left out is needed for is told before hours of training.</summary>
    [TestCase("robustness.yaml", "dose-90", "attacks take their answers from dose-0")]
    [TestCase("bias.yaml", "share-0", "the analysis bias compares arms")]
    [TestCase("prompt-types.yaml", "thirds-reason", "the analysis mixture has no arm left")]
    public void An_arm_that_others_need_cannot_be_left_out(string file, string arm, string reason) => Assert.That(
        () => RecipeFile.Read(file).Only([arm]),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(reason));

    [Test]
    public void A_recipe_in_which_nothing_learns_is_refused()
    {
        var recipe = RecipeFile.Read("safety-dose.yaml");
        Assert.That(RecipeCheck.Problems(recipe), Is.Empty);
        Assert.That(
            RecipeCheck.Problems(recipe with { Arms = [.. recipe.Arms.Select(arm => arm with { Untrained = true })] }),
            Has.Some.Contains("every arm is untrained"));
        Assert.That(
            RecipeCheck.Problems(recipe with { Decoding = new() { MaxNewTokens = 0 } }),
            Has.Some.Contains("decoding.max_new_tokens is 0"));
    }

    [Test]
    public void All_problems_are_listed_together()
    {
        var tree = JsonNode.Parse(
            """
            {"name": "x", "question": "?", "data": {"world": {}}, "training": {"rank": 0, "schedule": "steps"},
             "arms": [{"name": "a", "safety_examples": 1, "safety_share": 0.1}, {"name": "a"}],
             "claims": [{"id": "c", "statement": "…", "metric": "harm", "test": "lower", "arm": "b", "baseline": "a"}]}
            """)!;
        var message = Assert.Throws<SafeLlamaException>(() => RecipeReader.Read(tree, "x.yaml"))!.Message;
        Assert.That(message, Does.StartWith("x.yaml: ").And.Not.Contain("\n"));
        foreach (var problem in new[] { "two arms", "not both", "rank is 0", "schedule is steps", "no arm \"b\"",
            "no metric \"harm\"" })
        {
            Assert.That(message, Does.Contain(problem));
        }
    }

    [TestCase("20", 20, "20")]
    [TestCase("\"20\"", 20, "20")]
    [TestCase("0.05", 5, "\"5%\"")]
    [TestCase("\"5%\"", 5, "\"5%\"")]
    public void Warm_up_is_a_count_or_a_share_of_the_steps(string text, int ofHundred, string written)
    {
        var training = JsonSerializer.Deserialize<StudyTraining>($"{{\"warmup_steps\": {text}}}", StudyJson.Line)!;
        Assert.That(training.WarmupSteps.OfAtLeast(100), Is.EqualTo(ofHundred));
        Assert.That(JsonSerializer.Serialize(training, StudyJson.Line), Does.Contain($"\"warmup_steps\":{written},"));
    }

    [TestCase("""{"name": "x", "question": "?", "arms": [], "training": {"warmup_steps": "few"}}""", "5% or 0.05")]
    [TestCase("""{"name": "x", "question": "?", "arms": [], "metrics": [], "sedes": [1]}""", "sedes")]
    [TestCase("""{"name": "x", "question": "?", "arms": [], "seeds": ["one"]}""", "seeds")]
    [TestCase("""{"question": "?", "arms": []}""", "name")]
    [TestCase("""{"name": "x", "question": "?", "arms": [], "device": "cpu"}""", "device is what a run records")]
    [TestCase("""{"name": "x", "question": "?", "arms": [], "base_losses": {}}""", "base_losses is what a run records")]
    public void Wrong_keys_and_values_are_named(string json, string expected) => Assert.That(
        () => RecipeReader.Read(JsonNode.Parse(json)!, "x.yaml"),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected).And.Message.Not.Contains("System."));

    [Test]
    public void Shares_may_be_percentages()
    {
        StudyRecipe Read(string share) => RecipeReader.Read(JsonNode.Parse($$$"""
            {"name": "x", "question": "?", "data": {"world": {"safe_scary_examples": {{{share}}} } },
             "training": {"dropout": {{{share}}} }, "arms": [{"name": "a", "safety_share": {{{share}}}, "safe_scary": {{{share}}} }]}
            """)!, "x.yaml");
        var expected = Read("0.05");
        foreach (var share in new[] { "\"5%\"", "\"0.05\"" })
        {
            var read = Read(share);
            Assert.That(read.Arms, Is.EqualTo(expected.Arms));
            Assert.That(read.Data.World, Is.EqualTo(expected.Data.World));
            Assert.That(read.Training.Dropout, Is.EqualTo(0.05));
        }

        Assert.That(() => Read("\"much\""), Throws.TypeOf<SafeLlamaException>()
            .With.Message.Contains("expected a share such as 5% or 0.05, found 'much'"));
        Assert.That(() => Read("\"500%\""), Throws.TypeOf<SafeLlamaException>().With.Message.Contains("500%"));
        Assert.That(() => Read("5"), Throws.TypeOf<SafeLlamaException>().With.Message.Contains("safety_share is 5"));
    }

    [Test]
    public void Bases_that_would_share_a_folder_are_refused()
    {
        var recipe = RecipeFile.Read("safety-dose.yaml") with { Models = ["a/base", "b/base"] };
        Assert.That(RecipeCheck.Problems(recipe), Has.Some.Contains("share the folder"));
    }

    [Test]
    public void A_share_counts_the_demonstrations_themselves() =>
        Assert.That(new StudyArm { Name = "a", SafetyShare = 1 / 21.0 }.Demonstrations(20_000), Is.EqualTo(1000));
}
