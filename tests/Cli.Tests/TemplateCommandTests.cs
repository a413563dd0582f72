using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Tests;

/// <summary>A model's own chat template, from training to answers, unasked for on the command line.</summary>
[NonParallelizable]
public sealed class TemplateCommandTests : IDisposable
{
    private const string Own =
        "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + eos_token + '\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}";

    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        File.WriteAllText(Path.Combine(_model.Model, ChatTemplateFile.FileName), Own);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void The_models_template_is_used_kept_and_used_again()
    {
        var trained = Door.Run(_model.FineTune("own"));
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        Assert.That(trained.Error, Does.Contain("chat_template.jinja (the model's own)."));
        var adapter = Path.Combine(_model.Out("own"), "adapter");
        Assert.That(File.ReadAllText(Path.Combine(adapter, ChatTemplateFile.FileName)), Is.EqualTo(Own));

        // Another template in the model's folder does not change what the adapter was trained with.
        File.WriteAllText(Path.Combine(_model.Model, ChatTemplateFile.FileName), "{{ messages[0].content }}");
        var answered = Ask("--adapter", adapter);
        File.WriteAllText(Path.Combine(_model.Model, ChatTemplateFile.FileName), Own);
        Assert.That(answered.ExitCode, Is.Zero, answered.Error);
        Assert.That(answered.Error, Does.Contain("(the adapter was trained with it)."));

        var other = Ask("--adapter", adapter, "--template", "vicuna");
        Assert.That(other.ExitCode, Is.Zero, other.Error);
        Assert.That(other.Error, Does.Contain("was trained with the template").And.Contain("answers may be poor"));
    }

    [Test]
    public void Rows_are_shown_as_the_models_template_puts_them()
    {
        var shown = Door.Run("data", "show", _model.Rows, "--model", _model.Model, "--rows", "1");

        Assert.That(shown.ExitCode, Is.Zero, shown.Error);
        Assert.That(shown.Output, Does.Contain("<|user|>\nName number 0.</s>\n<|assistant|>\n⟦It is 0.</s>⟧"));
        Assert.That(shown.Error, Does.Contain("(the model's own)."));
    }

    [Test]
    public void A_template_that_refuses_a_row_names_it_in_one_line()
    {
        var file = _model.Out("refusing.jinja");
        File.WriteAllText(file, "{{ raise_exception('no birds') }}");

        Door.Refuses(ExitCode.InvalidData, "rows.jsonl:1: " + file + ": the chat template refuses this conversation: "
            + "no birds", "data", "show", _model.Rows, "--model", _model.Model, "--template", file);
    }

    [Test]
    public void A_merged_model_is_asked_as_its_adapter_was_trained()
    {
        Assert.That(Door.Run(_model.FineTune("named", "--template", "zephyr")).ExitCode, Is.Zero);
        var merged = _model.Out("named-merged");
        var run = Door.Run("merge", "--model", _model.Model, "--adapter", Path.Combine(_model.Out("named"), "adapter"),
            "--out", merged, "--threads", "1");
        Assert.That(run.ExitCode, Is.Zero, run.Error);

        var shown = Door.Run("data", "show", _model.Rows, "--model", merged, "--rows", "1");

        Assert.That(shown.Error, Does.Contain("Template: zephyr (the model was trained with it)."));
    }

    private CommandRun Ask(params string[] more) => Door.Run([
        "generate", "--model", _model.Model, "--prompt", "Hi", "--max-new-tokens", "4", "--threads", "1", .. more]);
}
