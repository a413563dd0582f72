using System.Text.Json.Nodes;
using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>One run of <c>train</c>, from settings to an adapter or a model folder.</summary>
internal sealed class TrainJob(SettingTable settings, string output, bool resume, bool json, int profileSteps)
{
    private const string AdapterFolder = "adapter";

    public ExitCode DryRun()
    {
        TrainRequest.CheckTogether(settings);
        var inputs = TrainInputs.Read(settings);
        using var backend = Open();
        var plan = TrainPlan.Of(settings, inputs, TrainRequest.Config(settings), backend);
        if (json)
        {
            var all = plan.ToJson();
            all["settings"] = new JsonObject(settings.All.Select(e => KeyValuePair.Create(
                e.Setting.Name, (JsonNode?)new JsonObject { ["value"] = e.Value.Text, ["source"] = e.Value.Source })));
            Console.WriteLine(all.ToJsonString());
        }
        else
        {
            foreach (var line in plan.Lines(settings, inputs))
            {
                Console.WriteLine(line);
            }
        }

        plan.RequireFit();
        return ExitCode.Success;
    }

    public ExitCode Run(CancellationToken stop)
    {
        TrainRequest.CheckTogether(settings);
        using var claimed = OutputFolder.Claim(output, resume);
        var inputs = TrainInputs.Read(settings);
        using var backend = Open();
        using var profile = profileSteps > 0 ? new OpProfile(backend) : null;
        var config = TrainRequest.Config(settings);
        var plan = TrainPlan.Of(settings, inputs, config, backend);
        Terminal.Note(plan.InAll);
        plan.RequireFit();
        CheckProfile(plan.Schedule.TotalSteps);
        var begun = resume && File.Exists(Path.Combine(output, RunFile.Name));
        var hashes = Hashes(inputs);
        if (begun)
        {
            RunFile.MustStillHold(output, hashes);
        }
        else
        {
            Terminal.Notes(inputs.Notes);
            inputs.Manifest.Write(Path.Combine(output, "mixture.json"));
            RunFile.Write(output, settings, hashes, plan.ToJson());
        }

        using var weights = Weights(backend, inputs.Shape);
        using var adapter = config.Lora is null ? null : Adapter(backend, inputs.Shape, config.Lora);
        using var model = new Llama(backend, weights, adapter, inputs.Data.Longest);
        Terminal.Note($"{backend.Name}: {plan.ParameterCount:N0} weights learn for {plan.Schedule.TotalSteps} steps.");
        var watched = new StartUpView(new TrainView(), backend);
        ITrainingView view = profile is null ? watched : new ProfileView(watched, profile, profileSteps);
        using var run = new TrainingRun(model, config, inputs.Data, output, BaseModel, view);
        var result = run.Run(stop);
        if (result.Interrupted)
        {
            Terminal.Note($"interrupted at step {result.Steps}; go on with: safellama train --resume --out {output}");
            return ExitCode.Interrupted;
        }

        var saved = adapter is null ? SaveModel(weights, inputs) : SaveAdapter(adapter);
        Report(result, saved);
        return ExitCode.Success;
    }

    private void CheckProfile(int totalSteps)
    {
        if (profileSteps < 0 || (profileSteps > 0 && totalSteps < ProfileView.Needed(profileSteps)))
        {
            throw SafeLlamaException.Usage(
                $"--profile-steps {profileSteps}: needs a run of {ProfileView.Needed(profileSteps)} steps or more, "
                + $"this one has {totalSteps}.");
        }
    }

    private string BaseModel => settings.Find(TrainSettings.Model) ?? "";

    private IBackend Open() => Devices.Open(
        settings.Get(TrainSettings.Device), TrainRequest.Threads(settings), settings.Get(TrainSettings.Cublas));

    private LlamaWeights Weights(IBackend backend, LlamaConfig shape)
    {
        if (settings.Has(TrainSettings.Init))
        {
            return LlamaWeights.InitializeRandom(backend, shape, settings.Get(TrainSettings.Seed));
        }

        var weights = TrainRequest.IsFull(settings)
            ? LlamaWeights.LoadTrainable(backend, shape, BaseModel)
            : LlamaWeights.Load(backend, shape, BaseModel);
        Terminal.Notes(weights.Notes);
        if (weights.Ignored.Count > 0)
        {
            Terminal.Note($"{BaseModel}: {weights.Ignored.Count} tensors have no place in this model: "
                + string.Join(", ", weights.Ignored.Take(5)));
        }

        return weights;
    }

    private LoraAdapter Adapter(IBackend backend, LlamaConfig shape, LoraConfig config)
    {
        if (settings.Find(TrainSettings.Adapter) is not { } folder)
        {
            return LoraAdapter.Create(backend, shape, config, settings.Get(TrainSettings.Seed));
        }

        var adapter = PeftFolder.Load(backend, shape, folder, trainable: true);
        if (adapter.ChangesNothing)
        {
            Terminal.Note($"{folder}: this adapter changes nothing yet: A or B is zero in every pair.");
        }

        return adapter;
    }

    /// <summary>SHA-256 of everything the result depends on.</summary>
    private JsonObject Hashes(TrainInputs inputs)
    {
        var hashes = new JsonObject { ["tokenizer"] = inputs.TokenizerHash };
        foreach (var source in inputs.Manifest.Sources)
        {
            hashes[source.Path] = source.Sha256;
        }

        var files = settings.Find(TrainSettings.Init) is { } init ? [init] : ModelFiles(BaseModel);
        if (settings.Find(TrainSettings.Adapter) is { } adapter)
        {
            files = [.. files, Path.Combine(adapter, PeftFolder.ConfigName),
                Path.Combine(adapter, PeftFolder.WeightsName)];
        }

        foreach (var file in files.Where(File.Exists))
        {
            hashes[file] = ContentHash.OfFile(file);
        }

        return hashes;
    }

    private static string[] ModelFiles(string folder) => File.Exists(folder) ? [folder] :
        [Path.Combine(folder, "config.json"), .. Directory.EnumerateFiles(folder, "*.safetensors")
            .Order(StringComparer.Ordinal)];

    private string SaveAdapter(LoraAdapter adapter)
    {
        var path = Path.Combine(output, AdapterFolder);
        AtomicFolder.Ensure(path, temporary => PeftFolder.Save(adapter, temporary, BaseModel));
        if (adapter.ChangesNothing)
        {
            Terminal.Note($"{path}: the adapter changes nothing: no step moved B. "
                + "Train longer, or with a shorter --warmup-steps.");
        }

        return path;
    }

    private string SaveModel(LlamaWeights weights, TrainInputs inputs)
    {
        var path = Path.Combine(output, "model");
        AtomicFolder.Ensure(path, temporary =>
            ModelFolder.Write(
                temporary, weights, settings.Get(TrainSettings.Type), settings.Find(TrainSettings.Model),
                inputs.TokenizerFolder));
        return path;
    }

    private void Report(TrainingResult result, string saved)
    {
        var loss = result.BestLoss is { } best ? FormattableString.Invariant($", validation loss {best:F4}") : "";
        Terminal.Note($"{saved}: the parameters of step {result.BestStep} of {result.Steps}{loss}.");
        if (json)
        {
            Console.WriteLine(new JsonObject
            {
                ["steps"] = result.Steps,
                ["best_step"] = result.BestStep,
                ["validation_loss"] = result.BestLoss,
                ["training_loss"] = result.LastLoss,
                ["saved"] = saved,
            }.ToJsonString());
        }
    }
}
