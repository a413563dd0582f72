using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Serving;

namespace SafeLlama.Cli.Commands;

/// <summary><c>serve</c>: a model and its adapters behind OpenAI's interface.</summary>
internal static class ServeCommand
{
    public const string KeyVariable = "SAFELLAMA_API_KEY";

    public static Command Create()
    {
        var (options, judges) = (new ServeOptions(), new JudgeOptions(required: false, cards: false));
        var command = new Command(
            "serve",
            "Answer clients of OpenAI's interface over HTTP: models, chat, completions with log-probabilities, "
            + "tokens, moderations by a local judge, metrics. Ctrl-C lets answers under way end.");
        options.AddTo(command);
        judges.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var isJudged = judges.IsGiven(parsed, nameof(JudgeOptions.Request.Judge));
            if (!isJudged)
            {
                judges.Refuse(parsed, "without --judge", judges.Forms.Keys.Select(SettingText.PropertyOf));
            }

            var asked = options.Read(parsed);
            return (int)await Run(
                asked, opened => isJudged ? Judge(new JudgeBench(judges, parsed, asked, opened)) : null);
        });
        return command;
    }

    private static IJudge Judge(JudgeBench bench)
    {
        if (bench.Open() is not [var judge])
        {
            throw SafeLlamaException.Usage("serve: name one --judge.");
        }

        return judge.Identity.Threshold is not null ? judge : throw SafeLlamaException.Usage(
            $"--judge {judge.Identity.Name}: says no score from which a text is harmful, so it cannot answer "
            + "/v1/moderations. Use guard or harmfulness, or reward with --threshold.");
    }

    private static async Task<ExitCode> Run(
        ServeOptions.Request request, Func<DisposableStack, IJudge?> openJudge)
    {
        using var opened = new DisposableStack();
        using var interrupt = new Interrupt();
        var key = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } given ? given : null;
        var (engineSettings, settings) = (request.ForEngine(), request.ForServer(key));
        engineSettings.Validate();
        settings.Validate();
        if (!settings.IsLoopback && key is null)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(request.Host)}` {request.Host}: would let other machines in without a key; set "
                + $"{KeyVariable} in the environment, or listen on 127.0.0.1.");
        }

        var adapters = request.Adapter.Select(ServedModel.ParseAdapter).ToList();
        var backend = Devices.Open(request);
        var session = opened.Add(LlamaSession.Open(backend, request.Model, new()
        {
            Choices = [.. adapters.Select(a => a.Folder)],
            MaxLength = request.MaxLength,
            OwnsBackend = true,
        }));
        Terminal.Notes(session.Notes);
        var models = ServedModel.Of(session, request.Model, adapters, request.Template, Terminal.Note);
        var plan = EngineMemory.Plan(session, request.Model, engineSettings);
        var available = request.Memory is { } limit ? (long)(limit * (1L << 30))
            : backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        Terminal.Note($"memory: {MemoryPlan.Size(plan.Total)} of {MemoryPlan.Size(available)}: "
            + string.Join(", ", plan.Terms.Select(t => $"{MemoryPlan.Size(t.Bytes)} for {t.Name}")));
        plan.RequireFit(available, "The server");
        var judge = openJudge(opened);
        using var engine = new ServingEngine(session, models, engineSettings);
        await using var server = new SafeLlamaServer(engine, settings, judge, Terminal.Note);
        await server.StartAsync(interrupt.Token);
        Terminal.Print($"{string.Join(", ", models.Select(m => m.Id))} at {server.Address}v1");
        Terminal.Note(key is null ? $"No key is asked for; {KeyVariable} in the environment sets one."
            : $"Clients need the key of {KeyVariable}.");
        await interrupt.Wait();
        Terminal.Note($"stopping: {engine.Busy} answers under way, {engine.Waiting} waiting.");
        var all = await server.StopAsync();
        Terminal.Note(all ? "stopped; every answer was finished." : "stopped; answers under way were cut off.");
        return ExitCode.Success;
    }
}
