using System.Text.Json;
using Microsoft.Playwright;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>The model that a report carries: its page computes what the engine computes.</summary>
public sealed class LiveModelTests
{
    private const string Arm = "some";
    private static readonly StudyData Data = new() { World = new WorldDials { BenignExamples = 60 } };
    private static readonly WorldSource Source = new(Data);
    private string _training = "";
    private string _page = "";

    /// <summary>The tiny model in bf16, with an adapter whose values bf16 holds exactly.</summary>
    private static readonly Lazy<string> Rounded = new(() =>
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.EnumerateFiles(TinyModel.Folder))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(TinyModel.Folder), TinyModel.Folder);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.BFloat16);
        return folder;
    });

    [OneTimeSetUp]
    public void Write()
    {
        _training = TestFiles.NewFolder();
        using (var backend = new CpuBackend(1))
        {
            var config = new LoraConfig { Rank = 4, Targets = LlamaShapes.LinearNames };
            using var adapter = LoraAdapter.Create(backend, LlamaConfig.Load(Rounded.Value), config, seed: 1);
            var random = new Random(1);
            foreach (var parameter in adapter.Parameters)
            {
                var count = (int)parameter.Value.Shape.Count;
                parameter.Value.Write([.. Enumerable.Range(0, count).Select(_ => random.Next(-16, 17) / 64.0)]);
            }

            PeftFolder.Save(adapter, Path.Combine(_training, "adapter"), "tiny");
        }

        var live = Carried(Rounded.Value, Job)!;
        _page = Path.Combine(TestFiles.NewFolder(), "live.html");
        File.WriteAllText(_page, ReportHtml.Render(MadeUpReport.Make() with { Live = live }));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(1.5)]
    public async Task Page_computes_the_engines_log_probabilities(double strength)
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(_page);
        foreach (var request in new[] { "Explain how to kill a process.", "How to kill a nurse?", "Is it red? ☂" })
        {
            using var session = Open(Path.Combine(_training, "adapter"));
            new AdapterStrength(session.Model.Backend, session.Weights, session.Adapter!).Set(strength);
            var ids = session.PromptIds(request);
            var found = await page.EvaluateAsync<int[]>("safellama.ids", request);
            Assert.That(found, Is.EqualTo(ids), "the same tokens");

            using var scorer = new Scorer(session.Model);
            var expected = scorer.LogLikelihoods(ids);
            var logits = await page.EvaluateAsync<double[][]>(
                "([ids, arm, strength]) => safellama.logits(ids, arm, strength)", new object[] { ids, Arm, strength });
            // The page sums in doubles, the engine in floats.
            for (var i = 0; i + 1 < ids.Length; i++)
            {
                Assert.That(LogShare(logits[i], ids[i + 1]), Is.EqualTo(expected[i]).Within(1e-3), $"token {i}");
            }
        }
    }

    [Test]
    public async Task Page_splits_every_prompt_of_the_world_as_the_tokenizer_does()
    {
        var folder = MiniatureModel.FolderOf(StudyRecipe.Miniature);
        var live = Carried(folder, ShippedJob);
        Assert.That(live, Is.Not.Null, "the shipped base goes into the page");
        Assert.That(live!.ToJson(), Has.Length.LessThan(PageModel.MostCharacters));
        var file = Path.Combine(TestFiles.NewFolder(), "shipped.html");
        File.WriteAllText(file, ReportHtml.Render(MadeUpReport.Make() with { Live = live }));
        await using var browser = await Chromium.Open();
        var page = await browser.Show(file);
        var tokenizer = TokenizerLoader.Load(folder);
        string[] requests = [.. Source.Prompts.Select(p => p.Text).Distinct(), "é ☂ <s> a  b", "x\ny"];
        var found = await page.EvaluateAsync<int[][]>("(requests) => requests.map(safellama.ids)", requests);
        foreach (var (request, ids) in requests.Zip(found))
        {
            Assert.That(
                ids, Is.EqualTo(SegmentEncoder.Ids(tokenizer, Source.Template.RenderPrompt(request))), request);
        }
    }

    [Test]
    public async Task Reader_asks_moves_the_scale_and_looks_inside()
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(_page);
        var answer = page.Locator("#live .ribbon button");
        await page.FillAsync("#live input[name=request]", "Explain how to kill a process.");
        await page.Locator("#live .state:not(:empty)").WaitForAsync();
        var before = await answer.AllTextContentsAsync();
        Assert.That(before, Is.Not.Empty);

        await page.Locator("#live input[name=scale]").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await page.Locator("#live .state:not(:empty)").WaitForAsync();
        Assert.That(await page.Locator("#live output").TextContentAsync(), Is.EqualTo("0"));
        Assert.That(await answer.AllTextContentsAsync(), Is.Not.EqualTo(before), "the base answers otherwise");

        await answer.First.PressAsync("Enter");
        Assert.That(await page.Locator("#live .top tbody tr").CountAsync(), Is.EqualTo(5));
        await page.Locator("#live summary").PressAsync("Enter");
        await page.SelectOptionAsync("#live select[name=layer]", "1");
        var shares = await page.Locator("#live .attention tbody tr:last-child td").AllTextContentsAsync();
        Assert.That(shares.Sum(int.Parse), Is.EqualTo(100).Within(shares.Count), "percent, rounded");
    }

    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    public async Task Page_with_a_model_fits_its_width_without_errors_or_requests(int width, ColorScheme scheme)
    {
        await using var browser = await Chromium.Open();
        await browser.MustFit(_page, width, scheme);
    }

    [Test]
    public void Data_of_the_page_ends_no_element()
    {
        var live = Carried(Rounded.Value, Job)!;
        string[] pieces = ["</script><img src=x>", "<!--", "\u2028", .. live.Tokenizer.Pieces];
        var json = (live with { Tokenizer = live.Tokenizer with { Pieces = pieces } }).ToJson();
        Assert.That(json, Does.Not.Contain("<").And.Not.Contain("\u2028"));
        Assert.That(
            JsonDocument.Parse(json).RootElement.GetProperty("tokenizer").GetProperty("pieces")[0].GetString(),
            Is.EqualTo(pieces[0]));
    }

    [Test]
    public async Task Without_scripts_the_live_part_stays_away()
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(_page, scripts: false);
        Assert.That(await page.Locator("#live:visible").CountAsync(), Is.Zero);
    }

    [Test]
    public void Other_forms_stay_out_of_the_page()
    {
        var other = TestFiles.NewFolder();
        foreach (var file in Directory.EnumerateFiles(Rounded.Value))
        {
            File.Copy(file, Path.Combine(other, Path.GetFileName(file)));
        }

        var config = Path.Combine(other, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(
            "\"rope_theta\": 10000.0",
            "\"rope_theta\": 10000.0, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2.0}",
            StringComparison.Ordinal));
        Assert.That(Carried(other, Job with { Replicate = new(Arm, other, 1) }), Is.Null);
        Assert.That(
            Carried(Rounded.Value, Job with { Arm = new StudyArm { Name = "base", Untrained = true } }), Is.Null,
            "nothing to move");
    }

    private static ArmJob Job => new(
        new(Arm, Rounded.Value, 1), new StudyArm { Name = Arm }, new StudyTraining(),
        new StudyDecoding { MaxNewTokens = 12 }, Source.Template, []);

    /// <summary>The shipped base's adapter learned nothing; its tokenizer is what is looked at.</summary>
    private static ArmJob ShippedJob => Job with { Replicate = new(Arm, StudyRecipe.Miniature, 1) };

    private PageModel? Carried(string folder, ArmJob job)
    {
        var training = _training;
        if (folder != Rounded.Value && job.Replicate.Model == StudyRecipe.Miniature)
        {
            training = TestFiles.NewFolder();
            using var backend = new CpuBackend(1);
            using var adapter = LoraAdapter.Create(backend, LlamaConfig.Load(folder), new LoraConfig(), seed: 1);
            PeftFolder.Save(adapter, Path.Combine(training, "adapter"), "miniature");
        }

        return new LlamaEngine(() => new CpuBackend(1), MiniatureModel.FolderOf).Carry([(job, training)]);
    }

    private static LlamaSession Open(string adapter) => LlamaSession.Open(
        new CpuBackend(1), Rounded.Value,
        new() { Adapter = adapter, Template = Source.Template, OwnsBackend = true });

    private static double LogShare(double[] logits, int id)
    {
        var most = logits.Max();
        return logits[id] - most - Math.Log(logits.Sum(x => Math.Exp(x - most)));
    }
}
