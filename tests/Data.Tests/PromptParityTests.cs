using System.Text.Json.Nodes;
using SafeLlama.Data.Tests.Tokenizers;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

[Category("Parity")]
public sealed class PromptParityTests
{
    private static readonly ITokenizer Tokenizer = TokenizerLoader.Load(
        Vectors.Copy("sp", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json"));

    [Test]
    public void Prompts_ids_masks_and_batches_agree_with_reference() =>
        Assert.That(PromptVectors.Differences(Read(), Tokenizer), Is.Empty);

    /// <summary>
    /// One spoiled value of every kind: each must be noticed, or the comparison above proves nothing.
    /// </summary>
    [Test]
    public void A_spoiled_expectation_is_noticed()
    {
        string[] notCompared = ["computed_by", "notes", "cutoff_len", "train_on_inputs", "add_eos_token", "messages"];
        var kinds = Leaves(Read(), "").Select(leaf => leaf.Kind)
            .Where(kind => !notCompared.Any(name => kind.Contains(name, StringComparison.Ordinal)))
            .Distinct().ToList();

        Assert.That(kinds, Has.Count.GreaterThan(25));
        Assert.Multiple(() =>
        {
            foreach (var kind in kinds)
            {
                var copy = Read();
                Leaves(copy, "").First(leaf => leaf.Kind == kind).Spoil();
                Assert.That(PromptVectors.Differences(copy, Tokenizer), Is.Not.Empty, kind);
            }
        });
    }

    [Test]
    public void An_unknown_field_is_noticed()
    {
        var copy = Read();
        copy["settings"]![0]!["rows"]![0]!["position_ids"] = new JsonArray(1, 2);

        Assert.That(PromptVectors.Differences(copy, Tokenizer), Has.Some.Contains("unknown field position_ids"));
    }

    private static JsonObject Read() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(TestFiles.Reference, "tokenizer",
            "prompt_templates.json")))!.AsObject();

    /// <summary>Every value of the tree; its kind is its path without the places in lists.</summary>
    private static IEnumerable<(string Kind, Action Spoil)> Leaves(JsonNode node, string kind) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Leaves(field.Value!, $"{kind}.{field.Key}")),
        JsonArray list => list.SelectMany(item => Leaves(item!, kind + "[]")),
        _ => [(kind, () => node.ReplaceWith(Spoiled(node.AsValue())))],
    };

    private static JsonNode Spoiled(JsonValue value) =>
        value.TryGetValue<bool>(out var truth) ? !truth
        : value.TryGetValue<int>(out var number) ? number + 1
        : value.GetValue<string>() + "?";
}
