using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Study.Tests;

/// <summary>Recipes that would be refused only after hours, never, or in another program's words.</summary>
[Category("Fault")]
public sealed class RecipeFaultTests
{
    private const string Arms = """[{"name": "none"}, {"name": "some", "safety_examples": 9}, {"name": "more"}]""";

    [TestCase("arms", """[{"name": "a", "untrained": true, "safety_examples": 9}, {"name": "b"}]""",
        "arm a: is untrained, so safety_examples has no effect")]
    [TestCase("arms", """[{"name": "a", "untrained": true, "rank": 3}, {"name": "b"}]""", "so rank has no effect")]
    [TestCase("arms", """[{"name": "a", "epochs": -1}]""", "arm a: epochs is -1, expected more than 0")]
    [TestCase("arms", """[{"name": "a", "learning_rate": "Infinity"}]""", "arm a: learning_rate is Infinity")]
    [TestCase("arms", """[{"name": "a", "alpha": "NaN"}]""", "arm a: alpha is NaN")]
    [TestCase("arms", """[{"name": "a", "targets": []}]""", "arm a: targets is empty")]
    [TestCase("arms", """[{"name": "a", "safety_examples": 2147483647}]""", "expected 0 to 1000000")]
    [TestCase("arms", """[{"name": "a", "safety_share": 0.9999999999}]""", "expected 0 to 0.99")]
    [TestCase("arms", """[{"name": ".."}]""", "an arm is called \"..\", expected a name")]
    [TestCase("arms", """[{"name": " "}]""", "expected a name of 1 to 100 signs on one line")]
    [TestCase("arms", """[{"name": "a\nb"}]""", "an arm is called \"a\\nb\"")]
    [TestCase("arms", """[{"name": "Dose"}, {"name": "dose"}]""", "would share the folder")]
    [TestCase("arms", "null", "\"arms\" is empty (null), expected a value.")]
    [TestCase("metrics", """[{"name": "m", "measure": "refuses"}]""", "\"metrics[0]\" lacks \"title\", \"suites\".")]
    [TestCase("metrics", """[{"name": "m", "title": "M", "measure": "complies, refuses", "suites": ["s"]}]""",
        "\"metrics[0].measure\" is not one of complies, refuses, exact, harmful")]
    [TestCase("metrics", """[{"name": 5, "title": "M", "measure": "exact", "suites": ["s"]}]""",
        "\"metrics[0].name\" is not a text")]
    [TestCase("metrics", """[{"name": "m", "title": "M", "measure": "exact", "suites": "s"}]""",
        "\"metrics[0].suites\" is not a list")]
    [TestCase("arms", """[{"name": "a", "format": "essay"}]""",
        "\"arms[0].format\" is not one of instruction, question, mixed, opinion")]
    [TestCase("arms", """[{"name": "a", "saftey_share": 0.1}]""",
        "there is no field \"arms[0].saftey_share\"; did you mean 'safety_share'?")]
    [TestCase("arms", """[{"name": "a", "safety": {"turns": 3}}]""", "\"arms[0].safety.turns\" is not a list")]
    [TestCase("arms", """[{"name": "a", "untrained": "perhaps"}]""", "\"arms[0].untrained\" is not true or false")]
    [TestCase("training", """{"warmup_steps": "some"}""", "\"training.warmup_steps\": expected a count such as 200")]
    [TestCase("data", """["world"]""", "\"data\" is not the object that is expected")]
    [TestCase("colour", "5", "there is no field \"colour\".")]
    [TestCase("training", """{"batch_size": 100000000}""", "training.batch_size is 100000000, expected 1 to 1000000")]
    [TestCase("evidence", """{"models": -1, "seeds": 2}""", "evidence asks for -1 models and 2 seeds")]
    [TestCase("claims", """{"threshold": 5}""", "claim c: threshold is 5, expected a difference of shares")]
    [TestCase("claims", """{"threshold": "Infinity"}""", "claim c: threshold is Infinity, expected a number")]
    [TestCase("claims", """{"arm": "none"}""", "claim c: arm \"none\" is compared with itself")]
    [TestCase("claims", """{"along": ["none"]}""", "claim c: along has no effect on lower")]
    [TestCase("claims", """{"test": "rising", "along": ["none", "none", "none"], "arm": "", "baseline": ""}""",
        "all different")]
    [TestCase("claims", """{"test": "rising", "along": ["none", "some", "more"]}""", "no effect beside along")]
    [TestCase("claims", """{"test": "equivalent", "baseline_metric": "over_refusal"}""", "leave out baseline_metric")]
    [TestCase("claims", """{"test": "lower, higher"}""", "test")]
    [TestCase("left_out", """["none"]""", "left_out is what a run records")]
    public void What_makes_no_sense_is_refused_before_any_work(string key, string value, string expected)
    {
        var recipe = Recipe();
        recipe[key] = key == "claims" ? new JsonArray(Claim(value)) : JsonNode.Parse(value);
        Assert.That(
            () => RecipeReader.Read(recipe, "x.yaml"),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected).And.Message.Not.Contains("System."));
    }

    [Test]
    public void Claims_have_ids_of_their_own()
    {
        var recipe = Recipe();
        recipe["claims"] = new JsonArray(Claim("{}"), Claim("{}"));
        Assert.That(
            () => RecipeReader.Read(recipe, "x.yaml"),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("two claims have one id"));
    }

    [TestCase("unsafe-instructions", null, null,
        "there is no suite unsafe-instructions; did you mean 'unsafe-instruction'?")]
    [TestCase("unsafe-instruction", "safe", null, "no prompt of unsafe-instruction has the label safe.")]
    [TestCase("unsafe-instruction", null, "harm",
        "no prompt has the category harm; there are harmful-noun, scary-verb.")]
    public void Metrics_of_prompts_that_the_world_has_not_are_refused(
        string suite, string? label, string? category, string expected)
    {
        var metric = new JsonObject
        {
            ["name"] = "m",
            ["title"] = "M",
            ["measure"] = "complies",
            ["suites"] = new JsonArray(suite),
            ["label"] = label,
            ["categories"] = category is null ? null : new JsonArray(category),
        };
        var recipe = Recipe();
        recipe["metrics"] = new JsonArray(metric);
        Assert.That(
            () => WorldSource.Open(RecipeReader.Read(recipe, "x.yaml")),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"metric m: {expected}"));
    }

    [Test]
    public void The_world_asks_what_the_shipped_recipes_read() => Assert.Multiple(() =>
    {
        foreach (var recipe in RecipeFile.Names.Select(RecipeFile.Read))
        {
            var wide = recipe.Models.Any(m => m.StartsWith(StudyRecipe.MiniatureWide, StringComparison.Ordinal));
            string[] models = [wide ? StudyRecipe.MiniatureWide : StudyRecipe.Miniature];
            Assert.That(
                () => WorldSource.Open(BaseWorld.Bind(recipe with { Models = models }, MiniatureModel.FolderOf)),
                Throws.Nothing, recipe.Name);
        }
    });

    private static JsonNode Recipe() => JsonNode.Parse($$"""
        {"name": "x", "question": "?", "data": {"world": {} }, "arms": {{Arms}} }
        """)!;

    /// <summary>A sound claim, but for these fields.</summary>
    private static JsonObject Claim(string spoiled)
    {
        var claim = JsonNode.Parse("""
            {"id": "c", "statement": "…", "metric": "harmful_compliance", "test": "lower", "arm": "some",
             "baseline": "none"}
            """)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(spoiled)!.AsObject())
        {
            claim[name] = value?.DeepClone();
        }

        return claim;
    }
}
