namespace SafeLlama.Cli.Tests;

/// <summary>A conversation in the terminal: what its commands do.</summary>
[NonParallelizable]
public sealed class ConversationTests : IDisposable
{
    private readonly TinyModel _model = new();

    [OneTimeSetUp]
    public void Train() => Assert.That(_model.Train().ExitCode, Is.Zero);

    public void Dispose() => _model.Dispose();

    [Test]
    public void Help_names_the_commands_and_quit_ends()
    {
        var run = Say("/help", "/quit", "never asked");
        Assert.That(run.Error, Does.Contain("/undo").And.Contain("/system TEXT")
            .And.Contain("/quit").And.Contain("/exit, /bye, :q, quit, exit"));
        Assert.That(run.Output, Is.Empty);
    }

    [TestCase("quit")]
    [TestCase("exit")]
    [TestCase("/exit")]
    [TestCase("/quit")]
    [TestCase("/bye")]
    [TestCase(":q")]
    public void Quit_words_end_it(string word) => Assert.That(Say(word, "never asked").Output, Is.Empty);

    [Test]
    public void Undo_forgets_the_last_question_and_its_answer()
    {
        var run = Say("The 1st bird", "/undo", "The 2nd bird", "/undo", "/undo", "/quit");
        Assert.That(run.Error, Does.Contain("Forgotten: The 1st bird").And.Contain("Forgotten: The 2nd bird")
            .And.Contain("Nothing was said yet."));
        Assert.That(run.Output.Split('\n')[0], Is.EqualTo(Say("The 1st bird", "/quit").Output.Split('\n')[0]));
        Assert.That(run.Output.Split('\n')[1], Is.EqualTo(Say("The 2nd bird", "/quit").Output.Split('\n')[0]));
    }

    [Test]
    public void A_system_text_stands_before_the_conversation()
    {
        var plain = Say("The 1st bird", "/quit").Output;
        Assert.That(Say("/system Trees.", "The 1st bird", "/quit").Output, Is.Not.EqualTo(plain));
        Assert.That(Say("/system Trees.", "/system", "The 1st bird", "/quit").Output, Is.EqualTo(plain));
    }

    [Test]
    public void Without_an_adapter_there_is_none_to_turn()
    {
        Assert.That(Say("/scale 2", "/quit").Error, Does.Contain("There is no adapter here"));
        Assert.That(Say("/adapter off", "/quit").Error, Does.Contain("begin with --adapter"));
    }

    [Test]
    public void An_adapter_is_switched_off_and_turned_down_and_on_again()
    {
        Assert.That(CommandRun.Of(_model.FineTune("turned", "--alpha", "400", "--targets", "all")).ExitCode, Is.Zero);
        string[] adapter = ["--adapter", _model.Out("turned")];
        var alone = Say("The 1st bird", "/quit").Output;
        var tuned = Say(adapter, "The 1st bird", "/quit").Output;
        Assert.That(tuned, Is.Not.EqualTo(alone));
        Assert.That(Say(adapter, "/adapter off", "The 1st bird", "/quit").Output, Is.EqualTo(alone));
        Assert.That(Say(adapter, "/scale 0", "The 1st bird", "/quit").Output, Is.EqualTo(alone));
        Assert.That(
            Say(adapter, "/scale 0", "/adapter off", "/scale 1", "The 1st bird", "/quit").Output, Is.EqualTo(tuned));
        var told = Say(
            adapter, "/scale much", "/adapter maybe", "/scale 0.5", "/adapter off", "/adapter on", "/quit").Error;
        Assert.That(
            told, Does.Contain("/scale much: expected a number").And.Contain("/adapter maybe: expected on or off"));
        Assert.That(told.TrimEnd(), Does.Contain("The adapter is off").And.Match(@"The adapter is on, scale 0\.5\..*$"));
    }

    [Test]
    public void What_is_no_command_is_told_and_asked() =>
        Assert.That(Say("/hlep", "/quit").Error, Does.Contain("/hlep is no command"));

    private CommandRun Say(params string[] lines) => Say([], lines);

    private CommandRun Say(string[] options, params string[] lines)
    {
        var input = Console.In;
        try
        {
            Console.SetIn(new StringReader(string.Join('\n', lines) + "\n"));
            var run = Door.Run(
                ["generate", "--model", _model.Model, "--template", "llama2", "--max-new-tokens", "6", "--threads", "1",
                    .. options]);
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            return run;
        }
        finally
        {
            Console.SetIn(input);
        }
    }
}
