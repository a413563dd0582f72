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
    [TestCase("arms", "null", "arms is empty; give it, or leave it out")]
    [TestCase("metrics", """[{"name": "m", "measure": "refuses"}]""", "metrics[0]: lacks \"title\"")]
    [TestCase("metrics", """[{"name": "m", "title": "M", "measure": "complies, refuses", "suites": ["s"]}]""",
        "measure: expected complies, refuses, exact, harmful")]
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
