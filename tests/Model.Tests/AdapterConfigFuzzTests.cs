using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

/// <summary>
/// <c>adapter_config.json</c> changed at random: one clear line, or what the file says; never another exception.
/// </summary>
[Category("Fault")]
public sealed class AdapterConfigFuzzTests
{
    private const int Files = 1_000;

    [Test]
    public void A_changed_file_is_refused_or_read_as_it_stands()
    {
        var folder = TestFiles.NewFolder();
        var original = JsonNode.Parse("""
            {
              "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 16, "lora_dropout": 0.05,
              "target_modules": ["q_proj", "v_proj"], "bias": "none", "fan_in_fan_out": false, "use_dora": false,
              "use_rslora": false, "init_lora_weights": true, "layers_to_transform": null, "modules_to_save": null,
              "rank_pattern": {"k_proj": 4}, "alpha_pattern": {"k_proj": 8}
            }
            """)!.AsObject();
        var accepted = 0;
        for (var i = 0; i < Files; i++)
        {
            var changed = new Mutations(i).Of(original);
            File.WriteAllText(Path.Combine(folder, PeftFolder.ConfigName), changed.ToJsonString());
            LoraConfig config;
            try
            {
                config = PeftFolder.ReadConfig(folder);
            }
            catch (SafeLlamaException e)
            {
                Assert.That(e.Code, Is.EqualTo(ExitCode.InvalidData), changed.ToJsonString());
                Assert.That(e.Message, Does.Not.Contain('\n'));
                continue;
            }

            accepted++;
            MustSay(config, JsonNode.Parse(changed.ToJsonString())!.AsObject());
        }

        Assert.That(accepted, Is.GreaterThan(Files / 10).And.LessThan(Files * 9 / 10));
    }

    private static void MustSay(LoraConfig config, JsonObject file) => Assert.Multiple(() =>
    {
        var text = file.ToJsonString();
        Assert.That(config.Rank, Is.EqualTo(file["r"]!.GetValue<int>()), text);
        Assert.That(config.Alpha, Is.EqualTo(file["lora_alpha"]?.GetValue<double>() ?? 8), text);
        Assert.That(config.Dropout, Is.EqualTo(file["lora_dropout"]?.GetValue<double>() ?? 0), text);
        Assert.That(config.RankStabilized, Is.EqualTo(file["use_rslora"]?.GetValue<bool>() ?? false), text);
        Assert.That(
            config.Variant == LoraVariant.Dora, Is.EqualTo(file["use_dora"]?.GetValue<bool>() ?? false), text);
        Assert.That(config.Targets, Is.EquivalentTo(
            (file["target_modules"] as JsonArray)?.Select(name => name!.GetValue<string>()) ?? []), text);
        Assert.That(config.RankPattern.ToDictionary(), Is.EqualTo((file["rank_pattern"] as JsonObject ?? [])
            .ToDictionary(p => p.Key, p => p.Value!.GetValue<int>())), text);
        Assert.That(config.AlphaPattern.ToDictionary(), Is.EqualTo((file["alpha_pattern"] as JsonObject ?? [])
            .ToDictionary(p => p.Key, p => p.Value!.GetValue<double>())), text);
        foreach (var name in new[] { "fan_in_fan_out", "modules_to_save" })
        {
            Assert.That(file[name]?.ToJsonString() ?? "false", Is.EqualTo("false").Or.EqualTo("[]"), text);
        }
    });
}
