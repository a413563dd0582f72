using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Cli.Tests;

[NonParallelizable]
public sealed class MergeCommandTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        Assert.That(CommandRun.Of(_model.FineTune("tuned")).ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void A_merged_folder_holds_everything_the_base_folder_held()
    {
        var (folder, merged) = (BaseWithMore("rich"), _model.Out("rich-merged"));
        var run = Merge(folder, merged + "/");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("pytorch_model.bin is not in the merged folder"));
        foreach (var name in (string[])["chat_template.jinja", "generation_config.json", "README.md"])
        {
            Assert.That(File.ReadAllText(Path.Combine(merged, name)),
                Is.EqualTo(File.ReadAllText(Path.Combine(folder, name))), name);
        }

        Assert.That(File.Exists(Path.Combine(merged, "pytorch_model.bin")), Is.False);
        using var before = CheckpointFiles.Open(folder);
        using var after = CheckpointFiles.Open(merged);
        Assert.That(after.Tensors.Keys, Is.EquivalentTo(before.Tensors.Keys));
        foreach (var name in (string[])["score.weight", "steps"])
        {
            var (was, now) = (before.Tensors[name], after.Tensors[name]);
            Assert.That(now.Entry.Type, Is.EqualTo(was.Entry.Type), name);
            Assert.That(now.File.Bytes(now.Entry).ToArray(), Is.EqualTo(was.File.Bytes(was.Entry).ToArray()), name);
        }

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(merged, "config.json")))!;
        Assert.That(config["dtype"]!.GetValue<string>(), Is.EqualTo("float32"));
        Assert.That(config["torch_dtype"]!.GetValue<string>(), Is.EqualTo("float32"));
    }

    [Test]
    public void The_head_of_a_reward_model_is_kept()
    {
        var adapter = _model.Out("reward-adapter");
        Directory.CreateDirectory(adapter);
        foreach (var file in Directory.GetFiles(Path.Combine(_model.Out("tuned"), "adapter")))
        {
            File.Copy(file, Path.Combine(adapter, Path.GetFileName(file)));
        }

        WriteHead(Path.Combine(adapter, "score.safetensors"));
        File.WriteAllText(Path.Combine(adapter, "reward.json"), "{\"kind\":\"ratings\"}\n");
        var merged = _model.Out("reward-merged");
        Assert.That(Merge(_model.Model, merged, adapter).ExitCode, Is.Zero);
        foreach (var name in (string[])["score.safetensors", "reward.json"])
        {
            Assert.That(File.ReadAllBytes(Path.Combine(merged, name)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(adapter, name))), name);
        }
    }

    [Test]
    public void A_model_of_links_merges_as_its_files_do_and_a_dry_run_knows_its_size()
    {
        var snapshot = _model.Out("snapshot");
        Directory.CreateDirectory(snapshot);
        foreach (var file in Directory.GetFiles(_model.Model))
        {
            File.CreateSymbolicLink(
                Path.Combine(snapshot, Path.GetFileName(file)), "../base/model/" + Path.GetFileName(file));
        }

        Assert.That(Merge(snapshot, _model.Out("from-links")).ExitCode, Is.Zero);
        Assert.That(Merge(_model.Model, _model.Out("from-files")).ExitCode, Is.Zero);
        Assert.That(File.ReadAllBytes(Path.Combine(_model.Out("from-links"), "model.safetensors")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(_model.Out("from-files"), "model.safetensors"))));
        Assert.That(new FileInfo(Path.Combine(_model.Out("from-links"), "config.json")).LinkTarget, Is.Null);

        var plan = CommandRun.Of(
            "train", "--model", snapshot, "--data", _model.Rows, "--steps", "2", "--dry-run", "--json");
        Assert.That(plan.ExitCode, Is.Zero, plan.Error);
        Assert.That(JsonNode.Parse(plan.Output)!["memory_bytes"]!["frozen weights"]!.GetValue<long>(),
            Is.EqualTo(FileFacts.Length(Path.Combine(_model.Model, "model.safetensors"))));
    }

    [Test]
    public void A_link_to_a_folder_is_filled_and_a_failure_leaves_nothing()
    {
        var (target, link) = (_model.Out("target"), _model.Out("link"));
        Directory.CreateDirectory(target);
        Directory.CreateSymbolicLink(link, target);
        var failed = Merge(_model.Folder, link);
        Assert.That(failed.ExitCode, Is.Not.Zero);
        Assert.That(Directory.GetFileSystemEntries(target), Is.Empty);
        Assert.That(Merge(_model.Model, link).ExitCode, Is.Zero);
        Assert.That(new DirectoryInfo(link).LinkTarget, Is.EqualTo(target));
        Assert.That(Directory.GetFileSystemEntries(target, "*" + OutputFile.TemporarySuffix), Is.Empty);
        Assert.That(File.Exists(Path.Combine(target, "model.safetensors")));

        var again = Merge(_model.Model, link);
        Assert.That((again.ExitCode, again.Error.Contains("--resume", StringComparison.Ordinal)),
            Is.EqualTo(((int)ExitCode.Usage, false)), again.Error);
    }

    private CommandRun Merge(string model, string output, string? adapter = null) => CommandRun.Of(
        "merge", "--model", model, "--adapter", adapter ?? Path.Combine(_model.Out("tuned"), "adapter"),
        "--out", output,
        "--threads", "1");

    /// <summary>The base with a head, a tensor of whole numbers, files beside it, and two names for its type.</summary>
    private string BaseWithMore(string name)
    {
        var folder = _model.Out(name);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(_model.Model))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "{{ messages }}");
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), "{\"eos_token_id\":[2]}");
        File.WriteAllText(Path.Combine(folder, "README.md"), "A model.");
        File.WriteAllText(Path.Combine(folder, "pytorch_model.bin"), "not read");
        var path = Path.Combine(folder, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["torch_dtype"] = "float32";
        config["dtype"] = "bfloat16";
        File.WriteAllText(path, config.ToJsonString());

        var head = _model.Out(name + "-more.safetensors");
        WriteHead(head);
        var weights = Path.Combine(folder, "model.safetensors");
        var plain = weights + ".plain";
        File.Move(weights, plain);
        using var file1 = SafetensorsFile.Open(plain);
        using var file2 = SafetensorsFile.Open(head);
        SafetensorsWriter.Write(weights, [
            .. file1.Entries.Values.Select(e => SafetensorsItem.Copy(file1, e)),
            .. file2.Entries.Values.Select(e => SafetensorsItem.Copy(file2, e)),
        ]);
        File.Delete(plain);
        return folder;
    }

    private static void WriteHead(string path) => SafetensorsWriter.Write(path, [
        new("score.weight", DType.Float32, new Shape(1, 16), () => [new byte[64]]),
        new("steps", DType.Int32, new Shape(3), () => [[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]]),
    ]);
}
