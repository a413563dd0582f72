using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Study;
using SafeLlama.Common;
using SafeLlama.Study;

namespace SafeLlama.Cli.Commands;

/// <summary><c>study</c>: train every arm of a recipe, ask, grade, hold claims against results, report.</summary>
internal sealed class StudyCommand
{
    private readonly Option<string> _recipe = new("--recipe")
    {
        Description = "A recipe of the program by name, or a YAML file.",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => StudyRecipes.Default,
    };

    private readonly Option<string?> _out = new("--out")
    {
        Description =
            "The study's folder; study-NAME where not given. One that is not empty is refused, unless --resume.",
        HelpName = "DIR",
    };

    private readonly Option<int?> _seeds =
        new("--seeds") { Description = "Instead of the recipe's seeds: 1 to N.", HelpName = "N" };
    private readonly Option<string[]> _models = new("--models", "--model")
    {
        Description = "Instead of the recipe's models: folders, or \"miniature\"; parted by commas or spaces.",
        HelpName = "DIR…",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<WorldDraw?> _draw = new("--draw")
    {
        Description = "Which prompts of the world are asked: development to choose settings, test to conclude.",
    };

    private readonly Option<int> _parallel = new("--parallel")
    {
        Description = "Replicates side by side; changes the time alone.",
        HelpName = "N",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private readonly Option<string> _device = CommonOptions.Device();
    private readonly Option<int> _threads = new("--threads")
    {
        Description = "Threads of each replicate on the cpu; changes the time alone.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<bool> _dryRun =
        new("--dry-run") { Description = "Show arms, expected time and memory, and train nothing." };
    private readonly Option<bool> _resume = CommonOptions.Resume();
    private readonly Option<bool> _json = CommonOptions.Json();

    public static Command Create()
    {
        var command =
            new Command("study", "Run a study: by default, how few safety demonstrations make a tiny LLaMA refuse.");
        new StudyCommand().AddTo(command);
        var run = new Command("run", "The same, in full words.");
        new StudyCommand().AddTo(run);
        command.Add(run);
        command.Add(StudyWorldCommand.Create());
        command.Add(StudyBaseCommand.Create());
        return command;
    }

    private void AddTo(Command command)
    {
        foreach (var option in (Option[])[_recipe, _out, _seeds, _models, _draw, _parallel, _device, _threads, _dryRun,
            _resume, _json])
        {
            command.Add(option);
        }

        command.SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var recipe = Recipe(parsed);
        var (device, threads) = (parsed.GetValue(_device)!, parsed.GetValue(_threads));
        var engine = new LlamaEngine(() => Devices.Open(device, threads), MiniatureModel.FolderOf);
        var dryRun = parsed.GetValue(_dryRun);
        using var judges = new StudyJudges(dryRun ? [] : recipe.Judges ?? [], device, threads);
        IStudySource source = recipe.Data.UsesFiles
            ? new FileSource(recipe.Data, judges.Opened) : new WorldSource(recipe.Data);
        var runner = new StudyRunner(recipe, source, engine);
        if (dryRun)
        {
            return (int)new StudyPlan(recipe, source, runner, engine).Show(parsed.GetValue(_parallel));
        }

        var folder = parsed.GetValue(_out) ?? $"study-{recipe.Name}";
        using var interrupt = new Interrupt();
        var view = new StudyView(runner.Jobs, runner.Headline);
        var run = view.Show(() => runner.Run(
            folder, parsed.GetValue(_resume), parsed.GetValue(_parallel), view, interrupt.Token));
        var report = StudyReport.Of(run);
        var html = ReportFiles.Write(report, folder);
        if (parsed.GetValue(_json))
        {
            Console.WriteLine(JsonSerializer.Serialize(run.Results, StudyJson.Line));
        }
        else
        {
            Console.WriteLine(ReportMarkdown.Render(report));
        }

        Terminal.Note($"The report: {html}");
        return (int)ExitCode.Success;
    }

    private StudyRecipe Recipe(ParseResult parsed)
    {
        var recipe = StudyRecipes.Read(parsed.GetValue(_recipe)!);
        if (parsed.GetValue(_seeds) is { } seeds)
        {
            recipe = seeds > 0
                ? recipe with { Seeds = [.. Enumerable.Range(1, seeds).Select(seed => (long)seed)] }
                : throw SafeLlamaException.Usage($"--seeds {seeds}: expected 1 or more.");
        }

        if (parsed.GetValue(_models) is { Length: > 0 } models)
        {
            recipe = recipe with
            {
                Models = [.. models.SelectMany(m => m.Split(',', StringSplitOptions.RemoveEmptyEntries))],
            };
        }

        return parsed.GetValue(_draw) is { } draw ? recipe with { Data = recipe.Data with { Draw = draw } } : recipe;
    }
}
