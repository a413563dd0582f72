using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

/// <summary>Adapters of PEFT that change what is computed by a setting which was once passed over.</summary>
[Category("Fault")]
public sealed class AdapterTroubleTests
{
    private static readonly ReferenceBackend Backend = new();

    [OneTimeTearDown]
    public void Close() => Backend.Dispose();

    [TestCase("trainable_token_indices", "[1, 2]")]
    [TestCase("target_parameters", "[\"mlp.experts.down_proj\"]")]
    [TestCase("use_qalora", "true")]
    [TestCase("use_bdlora", "true")]
    [TestCase("arrow_config", "{\"top_k\": 3}")]
    [TestCase("megatron_config", "{\"a\": 1}")]
    [TestCase("a_setting_of_next_year", "0.5")]
    [TestCase("layers_pattern", "\"blocks\"")]
    public void A_setting_that_may_change_the_result_is_refused(string field, string value)
    {
        var folder = Changed(field, value);
        Assert.That(
            () => PeftFolder.ReadConfig(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"\"{field}\"")
                .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.InvalidData));
    }

    [TestCase("peft_version", "\"0.18.0\"")]
    [TestCase("revision", "\"main\"")]
    [TestCase("trainable_token_indices", "null")]
    [TestCase("use_qalora", "false")]
    [TestCase("qalora_group_size", "16")]
    [TestCase("megatron_core", "\"megatron.core\"")]
    [TestCase("loftq_config", "{}")]
    [TestCase("eva_config", "{\"rho\": 2.0}")]
    [TestCase("layers_pattern", "[\"layers\"]")]
    [TestCase("a_setting_of_next_year", "[]")]
    public void A_setting_that_tells_history_or_is_off_is_no_hindrance(string field, string value) =>
        Assert.That(PeftFolder.ReadConfig(Changed(field, value)).Rank, Is.EqualTo(8));

    [TestCase("alpha_pattern", "{\"^q_proj\": 100, \"v_proj\": 4}", "^q_proj")]
    [TestCase("rank_pattern", "{\"query\": 4}", "query")]
    public void A_pattern_that_matches_no_module_is_told(string field, string value, string expected)
    {
        var folder = Changed(field, value);
        using var adapter = PeftFolder.Load(Backend, TinyLlama.Config, folder);
        var notes = adapter.Notes("adapter").ToList();
        Assert.That(notes, Has.Count.EqualTo(1));
        Assert.That(notes[0], Does.Contain($"\"{expected}\"").And.Contain("matches no module"));
    }

    [Test]
    public void The_folder_of_a_run_names_the_adapter_inside()
    {
        var folder = TestFiles.NewFolder();
        Directory.Move(Changed("r", "8"), Path.Combine(folder, "adapter"));
        Assert.That(
            () => PeftFolder.ReadConfig(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"Name {Path.Combine(folder, "adapter")}."));
    }

    private static string Changed(string field, string value)
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "saved");
        using var adapter = TinyLlama.Adapter(Backend, TinyLlama.Config, rank: 8);
        PeftFolder.Save(adapter, folder, "tiny");
        var path = Path.Combine(folder, PeftFolder.ConfigName);
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json[field] = JsonNode.Parse(value);
        File.WriteAllText(path, json.ToJsonString());
        return folder;
    }
}
