using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>
/// Every rule of <c>tokenizer.json</c> that changes ids, against the ids of Hugging Face's tokenizers 0.23.2.
/// </summary>
/// <remarks>
/// <c>tests/fixtures/tokenizers/hf_rules.json</c>: <c>base</c> is a fixture tokenizer, <c>patch</c> replaces its top
/// fields, <c>added</c> is appended to its added tokens, <c>model</c> sets fields of the model (<c>drop</c>: tokens
/// taken out, <c>again</c>: merges repeated at the end); <c>ids</c> are the library's for <c>texts</c>, without special
/// tokens.
/// </remarks>
[Category("Parity")]
public sealed class HuggingFaceRulesTests
{
    private static IEnumerable<TestCaseData> Cases =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(
            TestFiles.Root, "tests", "fixtures", "tokenizers", "hf_rules.json")))!.AsArray()
            .Select(rule => new TestCaseData(rule!.AsObject()).SetArgDisplayNames(rule["name"]!.GetValue<string>()));

    [TestCaseSource(nameof(Cases))]
    public void Ids_are_those_of_the_library(JsonObject rule)
    {
        var tokenizer = TokenizerLoader.Load(Folder(rule));
        Assert.Multiple(() =>
        {
            foreach (var (text, ids) in rule["texts"]!.AsArray().Zip(rule["ids"]!.AsArray()))
            {
                Assert.That(
                    tokenizer.Encode(text!.GetValue<string>()),
                    Is.EqualTo(ids.Deserialize<int[]>()),
                    JsonSerializer.Serialize(text));
            }
        });
    }

    private static string Folder(JsonObject rule)
    {
        var json = JsonNode.Parse(File.ReadAllText(
            Path.Combine(Vectors.Model(rule["base"]!.GetValue<string>()), "tokenizer.json")))!.AsObject();
        foreach (var (name, value) in rule["patch"]!.AsObject())
        {
            json[name] = value?.DeepClone();
        }

        foreach (var token in rule["added"]!.AsArray())
        {
            json["added_tokens"]!.AsArray().Add(token!.DeepClone());
        }

        var model = json["model"]!.AsObject();
        foreach (var (name, value) in rule["model"]!.AsObject())
        {
            switch (name)
            {
                case "drop":
                    value!.AsArray().ToList().ForEach(token =>
                        model["vocab"]!.AsObject().Remove(token!.GetValue<string>()));
                    break;
                case "again":
                    var merges = model["merges"]!.AsArray();
                    value!.AsArray().ToList().ForEach(i => merges.Add(merges[i!.GetValue<int>()]!.DeepClone()));
                    break;
                default:
                    model[name] = value?.DeepClone();
                    break;
            }
        }

        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
        return folder;
    }
}
